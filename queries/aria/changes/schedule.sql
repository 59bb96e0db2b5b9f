-- schedule: how many rows there are of each day, and what they say, so that only days that changed are read.
-- parameters: schedule_since, schedule_until
-- day: appointment_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
--   content                      a checksum of what is read, and of what orders it
-- sources: ScheduledActivity, Patient, ActivityInstance, Activity, ActivityCategory, ResourceActivity, Machine,
--   Radiation
-- traps:
--   It reads what the query itself reads, row by row: what a joined table says of a row is its day's content, too.
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   BINARY_CHECKSUM is no proof: two rows may have the same. The night finds what it hides.
SELECT
    MIN(sa.ScheduledStartTime) AS first_at,
    COUNT(*) AS row_count,
    MAX(sa.ScheduledActivitySer) AS newest_key,
    MAX(sa.HstryDateTime) AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(sa.ScheduledActivitySer, sa.HstryDateTime, p.PatientId, sa.ScheduledStartTime,
        sa.ScheduledEndTime, m.MachineId, m.MachineType, us.ResourceSer, ac.ActivityCode, ca.ActivityCategoryCode,
        sa.ScheduledActivityCode, sa.WaitListedFlag, sa.Priority, sa.ActivityNote, re.PrimaryFlag)) AS content
FROM ScheduledActivity sa
JOIN Patient p ON p.PatientSer = sa.PatientSer
LEFT JOIN ActivityInstance ai ON ai.ActivityInstanceSer = sa.ActivityInstanceSer
LEFT JOIN Activity ac ON ac.ActivitySer = ai.ActivitySer
LEFT JOIN ActivityCategory ca ON ca.ActivityCategorySer = ac.ActivityCategorySer
LEFT JOIN ResourceActivity re ON re.ScheduledActivitySer = sa.ScheduledActivitySer
LEFT JOIN Machine m ON m.ResourceSer = re.ResourceSer
LEFT JOIN (SELECT DISTINCT ra.ResourceSer AS ResourceSer FROM Radiation ra) us ON us.ResourceSer = m.ResourceSer
LEFT JOIN ScheduledActivity newer ON newer.ScheduledActivitySer = sa.ScheduledActivitySer
    AND newer.ScheduledActivityRevCount > sa.ScheduledActivityRevCount
WHERE sa.ScheduledStartTime >= ?
    AND sa.ScheduledStartTime < ?
    AND sa.ObjectStatus = 'Active'
    AND newer.ScheduledActivitySer IS NULL
GROUP BY SUBSTRING(CAST(sa.ScheduledStartTime AS varchar(30)), 1, 11)
