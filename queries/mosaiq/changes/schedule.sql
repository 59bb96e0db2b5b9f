-- schedule: how many rows there are of each day, and the newest of them, so that only days that changed are read.
-- parameters: schedule_since, schedule_until
-- day: appointment_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
-- sources: Schedule
-- traps:
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   Only tips that are not suppressed count, as in the query itself: what is moved or withdrawn leaves its day.
SELECT
    MIN(sc.App_DtTm) AS first_at,
    COUNT(*) AS row_count,
    MAX(sc.Sch_Id) AS newest_key,
    MAX(COALESCE(sc.Edit_DtTm, sc.Create_DtTm)) AS newest_edit
FROM Schedule sc
WHERE sc.Version = 0
    AND COALESCE(sc.Suppressed, 0) = 0
    AND sc.App_DtTm >= ?
    AND sc.App_DtTm < ?
GROUP BY SUBSTRING(CAST(sc.App_DtTm AS varchar(30)), 1, 11)
