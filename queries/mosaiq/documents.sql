-- documents: where the clinic's documents of a patient lie.
-- parameters: since, since
-- columns:
--   document_id                  OBJ_ID
--   patient_id                   text
--   written_at                   null: the public schema names no date of a document
--   document_type                as MOSAIQ has it
--   file_format                  number, translated in mosaiq/words.py
--   status                       MOSAIQ's number as it is: its meaning for documents is not public
--   scanned_file, file_number    text; relative to the clinic's document share
-- sources: Object, ObjFilenames, Ident, Schedule, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Object.Version 0 is the tip. A scanned document has a file for each page: mosaiq/tables.py lists them.
--   Without a date all documents come of those who are booked or were treated in the window.
SELECT
    ob.OBJ_ID AS document_id,
    i.IDA AS patient_id,
    NULL AS written_at,
    ob.DocType AS document_type,
    ob.File_Format AS file_format,
    ob.Status_Enum AS status,
    fn.eSCANFilename AS scanned_file,
    ob.Filenum AS file_number
FROM Object ob
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
) i ON i.Pat_Id1 = ob.Pat_ID1 AND i.place = 1
LEFT JOIN ObjFilenames fn ON fn.OBJ_ID = ob.OBJ_ID
WHERE ob.Version = 0
    AND (
        ob.Pat_ID1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
        OR ob.Pat_ID1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
    )
ORDER BY ob.OBJ_ID, fn.PageNumber
