-- calendar: none. ARIA's schedule names no plan, so this asks for nothing.
-- parameters:
-- columns:
--   sop_instance_uid             UID of the RT Plan
--   patient_id                   text
--   sessions_planned, sessions_remaining   count
-- sources: Patient
-- traps:
--   Appointments are in `schedule`; what of them belongs to which plan is not told.
SELECT
    NULL AS sop_instance_uid,
    p.PatientId AS patient_id,
    NULL AS sessions_planned,
    NULL AS sessions_remaining
FROM Patient p
WHERE 1 = 0
