-- courses: why a patient is treated.
-- parameters: since, since, since
-- columns:
--   patient_serial, course_serial   MOSAIQ's own numbers of the patient and of the course (PCP_ID)
--   patient_id                   text
--   course_number                as MOSAIQ counts a patient's courses; null where it does not
--   unnumbered_course            PCP_ID where course_number is null, so that such courses stay apart
--   diagnosis_code, diagnosis    such as C50.4 and its words
--   intent, comment              text, as MOSAIQ has them
-- sources: PatCPlan, Ident, Medical, Topog, Schedule, Dose_Hst, TxField
-- traps:
--   A course has a row for each diagnosis: two rows of one number are one course, mosaiq_tables.py makes it.
--   Status, begin, end and laterality of a course are not in the public schema: null. The side may stand in the
--   diagnosis' words or in the prescription's site.
--   Ident.Version 0 is the tip.
SELECT
    i.Pat_Id1 AS patient_serial,
    pc.PCP_ID AS course_serial,
    i.IDA AS patient_id,
    pc.Course AS course_number,
    CASE WHEN pc.Course IS NULL THEN pc.PCP_ID END AS unnumbered_course,
    t.Diag_Code AS diagnosis_code,
    t.Description AS diagnosis,
    pc.Tx_Intent AS intent,
    pc.Notes AS comment
FROM PatCPlan pc
JOIN Ident i ON i.Pat_Id1 = pc.Pat_ID1 AND i.Version = 0
LEFT JOIN Medical m ON m.MED_ID = pc.MED_ID
LEFT JOIN Topog t ON t.TPG_ID = m.TPG_ID
WHERE i.Pat_Id1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (
        SELECT f.Pat_ID1 FROM TxField f WHERE COALESCE(f.Edit_DtTm, f.Create_DtTm) >= ? AND f.Pat_ID1 IS NOT NULL
    )
ORDER BY i.Pat_Id1, pc.PCP_ID
