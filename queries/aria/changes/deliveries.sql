-- deliveries: how many rows there are of each day, and the newest of them, so that only days that changed are read.
-- parameters: since, until
-- day: treated_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
-- sources: RadiationHstry
-- traps:
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   A meterset that is corrected in ExternalFieldCommonHstry alone is seen in the last days, or in the night.
SELECT
    MIN(rh.TreatmentStartTime) AS first_at,
    COUNT(*) AS row_count,
    MAX(rh.RadiationHstrySer) AS newest_key,
    MAX(rh.HstryDateTime) AS newest_edit
FROM RadiationHstry rh
WHERE rh.TreatmentStartTime >= ? AND rh.TreatmentStartTime < ?
GROUP BY SUBSTRING(CAST(rh.TreatmentStartTime AS varchar(30)), 1, 11)
