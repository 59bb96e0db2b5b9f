-- photos: none. Where MOSAIQ keeps a patient's portrait is not public, so this asks for nothing.
-- parameters:
-- columns:
--   patient_id                   text
--   taken_at                     local time
--   picture                      the bytes of a picture file
-- sources: Ident
-- traps:
--   No public source names the table or the columns of a portrait. Image and Object are documented, and hold portal
--   images and documents: to take one of those for a face would be worse than no photo. A clinic that knows its own
--   table writes it here, with these three columns; the table stays empty until then, and pages and charts say that
--   no photo is in the backup.
SELECT
    i.IDA AS patient_id,
    NULL AS taken_at,
    NULL AS picture
FROM Ident i
WHERE 1 = 0
