-- plans: every plan that somebody may treat with, or has.
-- parameters: since, since
-- columns:
--   plan_serial                  ARIA's own number of the RT Plan
--   sop_instance_uid             UID of the RT Plan
--   patient_id, course_id, rt_plan_label   text
--   status                       ARIA's word, translated in aria/tables.py
--   status_user, status_at       who set it, and when (local time)
--   treat_approval_user, treat_approval_at   one approval for treatment, the newest first; null without
--   number_of_fractions_planned  count
--   dose_per_fraction            PrescribedDose, per fraction, in dose_unit
--   dose_unit, other_dose_unit   the site's setting, Gy or cGy; the two differ where it is set to both
--   structure_set_uid, frame_of_reference_uid   UIDs; the frame is the structure set's
--   prescription_id, plan_intent, treatment_type, treatment_orientation   text
--   treatment_order              count
--   fraction_pattern, fractions_per_day   DICOM FractionPattern
-- sources: RTPlan, PlanSetup, Course, Patient, StructureSet, Series, Approval, ConfigurationItem, TreatmentRecord
-- traps:
--   RTPlan.PrescribedDose is per fraction; its unit is a site's setting, of which a database may hold several. Where
--   they differ, or say another unit, no dose is told; where there is none, it is Gy, ARIA's own.
--   PlanSetup.Status is the newest word only: a plan that is completed was approved before, and Approval knows by
--   whom. One plan gives a row for each approval: aria/tables.py makes one of them.
--   UIDs of the images are not in these tables: the structure set names them (PS3.3 C.8.8.5).
--   Unapproved, rejected and retired plans come too, and say so; plans of oddly named courses as well.
SELECT
    rp.RTPlanSer AS plan_serial,
    rp.PlanUID AS sop_instance_uid,
    p.PatientId AS patient_id,
    c.CourseId AS course_id,
    ps.PlanSetupId AS rt_plan_label,
    ps.Status AS status,
    ps.StatusUserName AS status_user,
    ps.StatusDate AS status_at,
    ap.StatusUserName AS treat_approval_user,
    ap.StatusDate AS treat_approval_at,
    rp.NoFractions AS number_of_fractions_planned,
    rp.PrescribedDose AS dose_per_fraction,
    (SELECT MAX(ci.ConfigValue) FROM ConfigurationItem ci WHERE ci.ConfigurationItemId = 'Dose') AS dose_unit,
    (SELECT MIN(ci.ConfigValue) FROM ConfigurationItem ci WHERE ci.ConfigurationItemId = 'Dose') AS other_dose_unit,
    ss.StructureSetUID AS structure_set_uid,
    se.FrameOfReferenceUID AS frame_of_reference_uid,
    ps.PrescriptionSer AS prescription_id,
    ps.Intent AS plan_intent,
    ps.TreatmentType AS treatment_type,
    ps.TreatmentOrientation AS treatment_orientation,
    rp.TreatmentOrder AS treatment_order,
    rp.FractionPattern AS fraction_pattern,
    rp.FractionPatternDigitsPerDay AS fractions_per_day
FROM RTPlan rp
JOIN PlanSetup ps ON ps.PlanSetupSer = rp.PlanSetupSer
JOIN Course c ON c.CourseSer = ps.CourseSer
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN StructureSet ss ON ss.StructureSetSer = ps.StructureSetSer
LEFT JOIN Series se ON se.SeriesSer = ss.SeriesSer
LEFT JOIN Approval ap ON ap.TypeSer = ps.PlanSetupSer AND ap.ApprovalType = 'PlanSetup'
    AND ap.Status IN ('TreatApproval', 'ExternalApproval')
WHERE ps.StatusDate >= ?
    OR rp.RTPlanSer IN (SELECT r.RTPlanSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
ORDER BY rp.RTPlanSer, ap.StatusDate DESC, ap.ApprovalSer DESC
