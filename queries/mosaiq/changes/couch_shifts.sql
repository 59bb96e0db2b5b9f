-- couch_shifts: how many rows there are of each day, and the newest of them, so that only days that changed are read.
-- parameters: couch_since, until
-- day: treated_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
-- sources: Dose_Hst
-- traps:
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   A field, a session or a localisation that is edited without its delivery is seen in the last days, or in the
--   night.
SELECT
    MIN(dh.Tx_DtTm) AS first_at,
    COUNT(*) AS row_count,
    MAX(dh.DHS_ID) AS newest_key,
    MAX(COALESCE(dh.Edit_DtTm, dh.Create_DtTm)) AS newest_edit
FROM Dose_Hst dh
WHERE dh.Tx_DtTm >= ? AND dh.Tx_DtTm < ?
GROUP BY SUBSTRING(CAST(dh.Tx_DtTm AS varchar(30)), 1, 11)
