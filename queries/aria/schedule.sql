-- schedule: who is booked where and when.
-- parameters: schedule_since, schedule_until
-- columns:
--   appointment_id               ScheduledActivity's number
--   patient_id                   text
--   appointment_at, ends_at      local time
--   treatment_machine_name       one machine booked for it; null when none is
--   activity, activity_category  as the clinic calls them
--   status                       ARIA's word, translated in aria_tables.py
--   priority, note               text
-- sources: ScheduledActivity, Patient, ActivityInstance, Activity, ActivityCategory, ResourceActivity, Machine
-- traps:
--   ObjectStatus other than Active is deleted or superseded: it does not come. Where the database keeps older
--   revisions, only the newest ScheduledActivityRevCount does.
--   Cancelled appointments are Active and have a code: they come, and say so in `status`.
--   Activity codes are in the clinic's language (vv_ActivityLng translates the built-in ones): shown as they are.
--   An appointment books doctors and rooms too: one row for each resource, machines first; aria_tables.py makes
--   one of them. Rows without a patient are a machine's own, such as maintenance: left out.
SELECT
    sa.ScheduledActivitySer AS appointment_id,
    p.PatientId AS patient_id,
    sa.ScheduledStartTime AS appointment_at,
    sa.ScheduledEndTime AS ends_at,
    m.MachineId AS treatment_machine_name,
    ac.ActivityCode AS activity,
    ca.ActivityCategoryCode AS activity_category,
    sa.ScheduledActivityCode AS status,
    sa.Priority AS priority,
    sa.ActivityNote AS note
FROM ScheduledActivity sa
JOIN Patient p ON p.PatientSer = sa.PatientSer
LEFT JOIN ActivityInstance ai ON ai.ActivityInstanceSer = sa.ActivityInstanceSer
LEFT JOIN Activity ac ON ac.ActivitySer = ai.ActivitySer
LEFT JOIN ActivityCategory ca ON ca.ActivityCategorySer = ac.ActivityCategorySer
LEFT JOIN ResourceActivity re ON re.ScheduledActivitySer = sa.ScheduledActivitySer
LEFT JOIN Machine m ON m.ResourceSer = re.ResourceSer
LEFT JOIN ScheduledActivity newer ON newer.ScheduledActivitySer = sa.ScheduledActivitySer
    AND newer.ScheduledActivityRevCount > sa.ScheduledActivityRevCount
WHERE sa.ScheduledStartTime >= ?
    AND sa.ScheduledStartTime < ?
    AND sa.ObjectStatus = 'Active'
    AND newer.ScheduledActivitySer IS NULL
ORDER BY sa.ScheduledActivitySer, CASE WHEN m.MachineId IS NULL THEN 1 ELSE 0 END, re.PrimaryFlag DESC, m.MachineId
