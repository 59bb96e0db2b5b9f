-- checks: who checked what: charts, and approvals of plans.
-- parameters: since, since
-- columns:
--   check_source, check_number, check_revision   together the check's key
--   patient_id                   text
--   kind                         `chart` or `plan approval`
--   sop_instance_uid             UID of the RT Plan; null for a chart
--   status                       ARIA's word, translated in aria/tables.py; null for a chart
--   checked_at                   local time
--   checked_by, comment          text
-- sources: ChartQA, Patient, Approval, PlanSetup, RTPlan, Course
-- traps:
--   Approval keeps every revision: all come, each with its time.
SELECT
    k.check_source AS check_source,
    k.check_number AS check_number,
    k.check_revision AS check_revision,
    k.patient_id AS patient_id,
    k.kind AS kind,
    k.sop_instance_uid AS sop_instance_uid,
    k.status AS status,
    k.checked_at AS checked_at,
    k.checked_by AS checked_by,
    k.comment AS comment
FROM (
    SELECT
        'chart' AS check_source, q.ChartQASer AS check_number, 0 AS check_revision, p.PatientId AS patient_id,
        'chart' AS kind, NULL AS sop_instance_uid, NULL AS status, q.ChartQADateTime AS checked_at,
        q.ChartQABy AS checked_by, q.Comment AS comment
    FROM ChartQA q
    JOIN Patient p ON p.PatientSer = q.PatientSer
    WHERE q.ChartQADateTime >= ?
    UNION ALL
    SELECT
        'approval' AS check_source, ap.ApprovalSer AS check_number, ap.ApprovalRevCount AS check_revision,
        p.PatientId AS patient_id, 'plan approval' AS kind, rp.PlanUID AS sop_instance_uid, ap.Status AS status,
        ap.StatusDate AS checked_at, ap.StatusUserName AS checked_by, ap.Comment AS comment
    FROM Approval ap
    JOIN PlanSetup ps ON ps.PlanSetupSer = ap.TypeSer
    JOIN RTPlan rp ON rp.PlanSetupSer = ps.PlanSetupSer
    JOIN Course c ON c.CourseSer = ps.CourseSer
    JOIN Patient p ON p.PatientSer = c.PatientSer
    WHERE ap.ApprovalType = 'PlanSetup' AND ap.StatusDate >= ?
) k
ORDER BY k.check_source, k.check_number, k.check_revision
