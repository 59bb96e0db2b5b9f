-- physicians: who decides about a patient.
-- parameters: since, since, since
-- columns:
--   patient_serial               MOSAIQ's own number of the patient (Pat_ID1)
--   patient_id                   text
--   part                         `attending`, `referring` or `primary care`
--   physician_family_name, physician_given_name   text, as spelled in MOSAIQ
-- sources: Admin, Staff, Ident, Schedule, Dose_Hst, TxField
-- traps:
--   Admin.Attending_Md_Id is the physician in charge; one person may be several of the three.
--   Ident.Version 0 is the tip. Staff.Last_Name is CHAR: padded. Staff rows may be machines, these three never are.
--   Specialty and institution are not in the public schema: null.
SELECT
    i.Pat_Id1 AS patient_serial,
    i.IDA AS patient_id,
    md.part AS part,
    s.Last_Name AS physician_family_name,
    s.First_Name AS physician_given_name
FROM (
    SELECT 'attending' AS part, a.Pat_ID1 AS patient_serial, a.Attending_Md_Id AS staff_number FROM Admin a
    UNION ALL
    SELECT 'referring' AS part, a.Pat_ID1 AS patient_serial, a.Ref_Md_ID AS staff_number FROM Admin a
    UNION ALL
    SELECT 'primary care' AS part, a.Pat_ID1 AS patient_serial, a.Pri_Md_ID AS staff_number FROM Admin a
) md
JOIN Ident i ON i.Pat_Id1 = md.patient_serial AND i.Version = 0
JOIN Staff s ON s.Staff_ID = md.staff_number
WHERE i.Pat_Id1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (
        SELECT f.Pat_ID1 FROM TxField f WHERE COALESCE(f.Edit_DtTm, f.Create_DtTm) >= ? AND f.Pat_ID1 IS NOT NULL
    )
ORDER BY i.Pat_Id1, md.part, s.Staff_ID
