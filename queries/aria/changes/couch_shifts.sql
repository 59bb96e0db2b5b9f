-- couch_shifts: how many rows there are of each day, and what they say, so that only days that changed are read.
-- parameters: couch_since, until
-- day: treated_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
--   content                      a checksum of what is read, and of what orders it
-- sources: RadiationHstry, TreatmentRecord, Patient, ExternalFieldCommonHstry
-- traps:
--   It reads what the query itself reads, row by row: what a joined table says of a row is its day's content, too.
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   BINARY_CHECKSUM is no proof: two rows may have the same. The night finds what it hides.
SELECT
    MIN(rh.TreatmentStartTime) AS first_at,
    COUNT(*) AS row_count,
    MAX(rh.RadiationHstrySer) AS newest_key,
    MAX(rh.HstryDateTime) AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(rh.RadiationHstrySer, rh.HstryDateTime, p.PatientId, rh.TreatmentStartTime,
        eh.CouchVrt, eh.CouchLng, eh.CouchLat, eh.CouchCorrectionVrt, eh.CouchCorrectionLng,
        eh.CouchCorrectionLat)) AS content
FROM RadiationHstry rh
JOIN TreatmentRecord tr ON tr.TreatmentRecordSer = rh.TreatmentRecordSer
JOIN Patient p ON p.PatientSer = tr.PatientSer
JOIN ExternalFieldCommonHstry eh ON eh.RadiationHstrySer = rh.RadiationHstrySer
WHERE rh.TreatmentStartTime >= ? AND rh.TreatmentStartTime < ?
GROUP BY SUBSTRING(CAST(rh.TreatmentStartTime AS varchar(30)), 1, 11)
