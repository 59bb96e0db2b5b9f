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
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   A course has a row for each diagnosis: two rows of one number are one course, mosaiq/tables.py makes it.
--   Status, begin, end and laterality of a course are not in the public schema: null. The side may stand in the
--   diagnosis' words or in the prescription's site.
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
) i ON i.Pat_Id1 = pc.Pat_ID1 AND i.place = 1
LEFT JOIN Medical m ON m.MED_ID = pc.MED_ID
LEFT JOIN Topog t ON t.TPG_ID = m.TPG_ID
WHERE i.Pat_Id1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
    OR i.Pat_Id1 IN (
        SELECT f.Pat_ID1 FROM TxField f WHERE COALESCE(f.Edit_DtTm, f.Create_DtTm) >= ? AND f.Pat_ID1 IS NOT NULL
    )
ORDER BY i.Pat_Id1, pc.PCP_ID
