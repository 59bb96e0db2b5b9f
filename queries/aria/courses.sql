-- courses: why a patient is treated.
-- parameters: since, since, since
-- columns:
--   course_serial                ARIA's own number of the course
--   patient_id, course_id        text
--   status                       ARIA's word, translated in aria/tables.py
--   started_at, completed_at     local time
--   diagnosis_code, diagnosis    of one diagnosis, such as C50.4 and its words
--   diagnosis_serial             ARIA's own number of that diagnosis
--   laterality                   of that diagnosis, in words
--   is_struck_out                1 where the EMR half says that the diagnosis was made in error or is outdated
--   intent                       of one physician's intent, ARIA's word
--   comment                      text
-- sources: Course, Patient, CourseDiagnosis, Diagnosis, pt, pt_dx, pt_dx_cncr, laterality_typ, PhysicianIntent,
--   ScheduledActivity, TreatmentRecord, PlanSetup
-- traps:
--   One course gives a row for each diagnosis and intent: aria/tables.py makes one of them.
--   Names of courses are a habit of each clinic: none is left out for its name.
--   Diagnosis has two keys, DiagnosisSer and PatientSer: two patients may have one number. The laterality stands in
--   the EMR half only, joined by pt_dx.diagnosis_ser and the patient (pt.patient_ser).
--   Diagnosis.ObjectStatus other than Active is deleted; pt_dx.valid_entry 'N' was made in error, cur_entry_ind 'N' is
--   outdated, pt_dx_cncr.valid_entry_ind 'N' too: none of them counts.
SELECT
    c.CourseSer AS course_serial,
    p.PatientId AS patient_id,
    c.CourseId AS course_id,
    c.ClinicalStatus AS status,
    c.StartDateTime AS started_at,
    c.CompletedDateTime AS completed_at,
    d.DiagnosisCode AS diagnosis_code,
    d.Description AS diagnosis,
    d.DiagnosisSer AS diagnosis_serial,
    lt.laterality_desc AS laterality,
    CASE WHEN dx.valid_entry = 'N' OR dx.cur_entry_ind = 'N' THEN 1 ELSE 0 END AS is_struck_out,
    pi.TreatmentIntentType AS intent,
    c.Comment AS comment
FROM Course c
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN CourseDiagnosis cd ON cd.CourseSer = c.CourseSer
LEFT JOIN Diagnosis d ON d.DiagnosisSer = cd.DiagnosisSer AND d.PatientSer = c.PatientSer
    AND COALESCE(d.ObjectStatus, 'Active') = 'Active'
LEFT JOIN pt e ON e.patient_ser = c.PatientSer
LEFT JOIN pt_dx dx ON dx.pt_id = e.pt_id AND dx.diagnosis_ser = d.DiagnosisSer
LEFT JOIN pt_dx_cncr dc ON dc.pt_id = dx.pt_id AND dc.pt_dx_id = dx.dx_id AND COALESCE(dc.valid_entry_ind, 'Y') <> 'N'
LEFT JOIN laterality_typ lt ON lt.laterality_typ = dc.laterality_typ
LEFT JOIN PhysicianIntent pi ON pi.CourseSer = c.CourseSer
WHERE c.PatientSer IN (
        SELECT sa.PatientSer FROM ScheduledActivity sa WHERE sa.ScheduledStartTime >= ? AND sa.PatientSer IS NOT NULL
    )
    OR c.PatientSer IN (SELECT r.PatientSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
    OR c.PatientSer IN (
        SELECT k.PatientSer FROM Course k JOIN PlanSetup ps ON ps.CourseSer = k.CourseSer WHERE ps.StatusDate >= ?
    )
ORDER BY c.CourseSer, cd.DiagnosisSer, pi.PhysicianIntentSer
