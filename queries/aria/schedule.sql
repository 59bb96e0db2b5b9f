-- schedule: who is booked where and when.
-- parameters: schedule_since, schedule_until
-- columns:
--   appointment_id               ScheduledActivity's number
--   patient_id                   text
--   appointment_at, ends_at      local time
--   machine_name                 one machine booked for it; null when none is
--   machine_type                 ARIA's word; a RadiationDevice treats
--   has_fields                   1: a plan has a field on that machine
--   activity, activity_category  as the clinic calls them
--   status                       ARIA's word, translated in aria/tables.py
--   is_wait_listed               0 or 1
--   priority, note               text
-- sources: ScheduledActivity, Patient, ActivityInstance, Activity, ActivityCategory, ResourceActivity, Machine,
--   Radiation
-- traps:
--   ObjectStatus other than Active is deleted or superseded: it does not come. Where the database keeps older
--   revisions, only the newest ScheduledActivityRevCount does.
--   Cancelled appointments are Active and have a code: they come, and say so in `status`.
--   Activity codes are in the clinic's language (vv_ActivityLng translates the built-in ones): shown as they are.
--   WaitListedFlag 1 is a wish, no booking: it comes, and says so in `status`.
--   A CT scanner is a machine too: where MachineType does not tell, what no plan has a field on treats nobody.
--   An appointment books doctors and rooms too: one row for each resource, machines first; aria/tables.py makes
--   one of them. Rows without a patient are a machine's own, such as maintenance: left out.
SELECT
    sa.ScheduledActivitySer AS appointment_id,
    p.PatientId AS patient_id,
    sa.ScheduledStartTime AS appointment_at,
    sa.ScheduledEndTime AS ends_at,
    m.MachineId AS machine_name,
    m.MachineType AS machine_type,
    CASE WHEN us.ResourceSer IS NULL THEN 0 ELSE 1 END AS has_fields,
    ac.ActivityCode AS activity,
    ca.ActivityCategoryCode AS activity_category,
    sa.ScheduledActivityCode AS status,
    sa.WaitListedFlag AS is_wait_listed,
    sa.Priority AS priority,
    sa.ActivityNote AS note
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
ORDER BY sa.ScheduledActivitySer, CASE WHEN m.MachineId IS NULL THEN 1 ELSE 0 END, re.PrimaryFlag DESC, m.MachineId
