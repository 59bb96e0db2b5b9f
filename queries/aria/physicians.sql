-- physicians: who decides about a patient.
-- parameters: since, since, since
-- columns:
--   patient_serial                           ARIA's own number of the patient
--   patient_id                               text
--   physician_family_name, physician_given_name   text, as spelled in ARIA
--   is_oncologist, is_primary_flag, is_primary_care   0 or 1, for this patient
--   specialty, institution                   text
-- sources: PatientDoctor, Doctor, Patient, ScheduledActivity, TreatmentRecord, Course, PlanSetup
-- traps:
--   PrimaryFlag marks one oncologist and one referring doctor: the physician in charge has both flags,
--   PrimaryFlag and OncologistFlag.
--   The same person often has two Doctor rows: aria/tables.py makes one of those of one name.
SELECT
    p.PatientSer AS patient_serial,
    p.PatientId AS patient_id,
    d.LastName AS physician_family_name,
    d.FirstName AS physician_given_name,
    pd.OncologistFlag AS is_oncologist,
    pd.PrimaryFlag AS is_primary_flag,
    pd.PrimaryCarePhysicianFlag AS is_primary_care,
    d.Specialty AS specialty,
    d.Institution AS institution
FROM PatientDoctor pd
JOIN Patient p ON p.PatientSer = pd.PatientSer
JOIN Doctor d ON d.ResourceSer = pd.ResourceSer
WHERE p.PatientSer IN (
        SELECT sa.PatientSer FROM ScheduledActivity sa WHERE sa.ScheduledStartTime >= ? AND sa.PatientSer IS NOT NULL
    )
    OR p.PatientSer IN (SELECT r.PatientSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
    OR p.PatientSer IN (
        SELECT c.PatientSer FROM Course c JOIN PlanSetup ps ON ps.CourseSer = c.CourseSer WHERE ps.StatusDate >= ?
    )
ORDER BY p.PatientSer, pd.ResourceSer
