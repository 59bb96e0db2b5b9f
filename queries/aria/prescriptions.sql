-- prescriptions: what was ordered.
-- parameters: since
-- columns:
--   patient_id, prescription_id, prescription_name, course_id   text
--   site, technique, phase, gating, bolus_frequency, bolus_thickness, notes   text
--   status                       ARIA's word, translated in aria/prescriptions.py
--   intent                       of one physician's intent of the course
--   number_of_fractions          count
--   follows_prescription_id      the prescription that this one continues, such as a boost's
--   target                       one target's name
--   dose_type                    `TOTAL DOSE` or `DOSE PER FRACTION` of that target
--   dose, dose_unit              text as typed, in Gy or cGy as dose_unit says
--   fraction_pattern, fractions_per_day   of a plan made for it that was not rejected (DICOM FractionPattern)
--   created_by, created_at       user and local time
-- sources: Prescription, TreatmentPhase, Course, Patient, PrescriptionAnatomy, PrescriptionAnatomyItem, PlanSetup,
--   RTPlan, PhysicianIntent
-- traps:
--   One prescription gives a row for each dose of each target: aria/prescriptions.py makes one of them.
--   PrescriptionAnatomy.AnatomyRole 2 is a target; others are organs at risk, whose doses are limits.
--   ItemValue is text, typed by a person, in the unit beside it.
--   No column says the side: aria/prescriptions.py reads it in the words of site and name. The side of the course's
--   diagnosis is another thing, and stands in courses.
--   Retired prescriptions and those made in error come too, and say so in `status`.
--   HstryDateTime is the last change of a row: what did not change for that long is no current prescription.
SELECT
    p.PatientId AS patient_id,
    pr.PrescriptionSer AS prescription_id,
    pr.PrescriptionName AS prescription_name,
    c.CourseId AS course_id,
    pr.Site AS site,
    pr.Technique AS technique,
    pr.PhaseType AS phase,
    pr.Gating AS gating,
    pr.BolusFrequency AS bolus_frequency,
    pr.BolusThickness AS bolus_thickness,
    pr.Notes AS notes,
    pr.Status AS status,
    pi.TreatmentIntentType AS intent,
    pr.NumberOfFractions AS number_of_fractions,
    pr.PredecessorPrescriptionSer AS follows_prescription_id,
    an.AnatomyName AS target,
    it.ItemType AS dose_type,
    it.ItemValue AS dose,
    it.ItemValueUnit AS dose_unit,
    rp.FractionPattern AS fraction_pattern,
    rp.FractionPatternDigitsPerDay AS fractions_per_day,
    pr.CreationUserName AS created_by,
    pr.CreationDate AS created_at
FROM Prescription pr
JOIN TreatmentPhase tp ON tp.TreatmentPhaseSer = pr.TreatmentPhaseSer
JOIN Course c ON c.CourseSer = tp.CourseSer
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN PrescriptionAnatomy an ON an.PrescriptionSer = pr.PrescriptionSer AND an.AnatomyRole = 2
LEFT JOIN PrescriptionAnatomyItem it ON it.PrescriptionAnatomySer = an.PrescriptionAnatomySer
    AND it.ItemType IN ('TOTAL DOSE', 'DOSE PER FRACTION')
LEFT JOIN PlanSetup ps ON ps.PrescriptionSer = pr.PrescriptionSer AND ps.CourseSer = c.CourseSer
    AND ps.Status NOT IN ('Rejected', 'Retired', 'Unapproved', 'UnApproved')
LEFT JOIN RTPlan rp ON rp.PlanSetupSer = ps.PlanSetupSer
LEFT JOIN PhysicianIntent pi ON pi.CourseSer = c.CourseSer
WHERE pr.HstryDateTime >= ?
ORDER BY pr.PrescriptionSer, an.PrescriptionAnatomySer, it.PrescriptionAnatomyItemSer, rp.RTPlanSer,
    pi.PhysicianIntentSer
