-- physicians: who decides about a patient.
-- parameters: since, since, since
-- columns:
--   patient_serial               MOSAIQ's own number of the patient (Pat_ID1)
--   patient_id                   text
--   part                         `attending`, `referring` or `primary care`
--   physician_family_name, physician_given_name   text, as spelled in MOSAIQ
-- sources: Admin, Staff, Ident, Schedule, Dose_Hst, TxField
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Admin.Attending_Md_Id is the physician in charge; one person may be several of the three.
--   Staff.Last_Name is CHAR: padded. Staff rows may be machines, these three never are.
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
JOIN (
    SELECT
        nr.Pat_Id1 AS Pat_Id1, nr.IDA AS IDA, nr.Status_Inactive AS Status_Inactive,
        ROW_NUMBER() OVER (
            PARTITION BY nr.Pat_Id1
            ORDER BY
                CASE WHEN COALESCE(RTRIM(nr.IDA), '') = '' THEN 1 ELSE 0 END,
                COALESCE(nr.Status_Inactive, 0), nr.IDENT_ID DESC
        ) AS place
    FROM Ident nr
    WHERE nr.Version = 0
) i ON i.Pat_Id1 = md.patient_serial AND i.place = 1
JOIN Staff s ON s.Staff_ID = md.staff_number
WHERE i.Pat_Id1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (
        SELECT f.Pat_ID1 FROM TxField f WHERE COALESCE(f.Edit_DtTm, f.Create_DtTm) >= ? AND f.Pat_ID1 IS NOT NULL
    )
ORDER BY i.Pat_Id1, md.part, s.Staff_ID
