-- schedule: how many rows there are of each day, and the newest of them, so that only days that changed are read.
-- parameters: schedule_since, schedule_until
-- day: appointment_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
-- sources: ScheduledActivity
-- traps:
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   An appointment's machine is of ResourceActivity: a change there alone is seen in the last days, or in the night.
SELECT
    MIN(sa.ScheduledStartTime) AS first_at,
    COUNT(*) AS row_count,
    MAX(sa.ScheduledActivitySer) AS newest_key,
    MAX(sa.HstryDateTime) AS newest_edit
FROM ScheduledActivity sa
WHERE sa.ScheduledStartTime >= ? AND sa.ScheduledStartTime < ?
GROUP BY SUBSTRING(CAST(sa.ScheduledStartTime AS varchar(30)), 1, 11)
