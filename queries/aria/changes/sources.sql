-- sources: whether anything changed in the tables that other queries read: a row for each table.
-- parameters:
-- columns:
--   source                       the table's name
--   row_count                    count
--   newest_key                   the largest number, where the table numbers its rows; else 0
--   newest_edit                  local time; null where the table has none that is known
--   content                      a checksum of what is read of it, where it has no time of editing; else 0
-- sources: Patient, PatientAddress, Address, PointOfContact, PatientTransportation, PatientDoctor, PatientNote,
--   Photo, FieldPhoto, Course, CourseDiagnosis, Diagnosis, PhysicianIntent, TreatmentPhase,
--   Prescription, PrescriptionAnatomy, PrescriptionAnatomyItem, PlanSetup, RTPlan, StructureSet, Series,
--   Approval, ChartQA, ConfigurationItem, Radiation, EnergyMode, Technique, Tolerance, MLCPlan,
--   RadiationDeliverySetupDevice, DeliverySetupDevice, TreatmentRecord, ScheduledActivity, RadiationHstry, pt,
--   pt_allergy, implantable_device, pt_dx, pt_dx_cncr, quick_note, quick_note_typ, visit_note, note_typ,
--   PatientParticular, Doctor, Machine, ExternalFieldCommon, ExternalField, laterality_typ
-- traps:
--   A query of which every source stands here is not asked again while they all stay the same; full_at asks it once a
--   night all the same. A table that is not listed is read with its query in every cycle.
--   HstryDateTime and trans_log_mtstamp are read as the time of the newest edit. That ARIA sets them at each is
--   inferred from their name.
--   BINARY_CHECKSUM is no proof: two texts may have the same. The night finds what it hides.
--   Deliveries, couch shifts and appointments are asked by day where these changed: see the files beside this one.
--   Views of what is in flight are not listed.
SELECT
    'Patient' AS source, COUNT(*) AS row_count, MAX(t.PatientSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Patient t
UNION ALL
SELECT
    'PatientAddress' AS source, COUNT(*) AS row_count, MAX(t.AddressSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PatientAddress t
UNION ALL
SELECT
    'Address' AS source, COUNT(*) AS row_count, MAX(t.AddressSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Address t
UNION ALL
SELECT
    'PointOfContact' AS source, COUNT(*) AS row_count, MAX(t.PointOfContactSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PointOfContact t
UNION ALL
SELECT
    'PatientTransportation' AS source, COUNT(*) AS row_count, MAX(t.PatientTransportationSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PatientTransportation t
UNION ALL
SELECT
    'PatientDoctor' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PatientDoctor t
UNION ALL
SELECT
    'PatientNote' AS source, COUNT(*) AS row_count, MAX(t.PatientNoteSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PatientNote t
UNION ALL
SELECT
    'Photo' AS source, COUNT(*) AS row_count, MAX(t.PhotoSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Photo t
UNION ALL
SELECT
    'FieldPhoto' AS source, COUNT(*) AS row_count, MAX(t.PhotoSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM FieldPhoto t
UNION ALL
SELECT
    'Course' AS source, COUNT(*) AS row_count, MAX(t.CourseSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Course t
UNION ALL
SELECT
    'CourseDiagnosis' AS source, COUNT(*) AS row_count, MAX(t.DiagnosisSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM CourseDiagnosis t
UNION ALL
SELECT
    'Diagnosis' AS source, COUNT(*) AS row_count, MAX(t.DiagnosisSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Diagnosis t
UNION ALL
SELECT
    'PhysicianIntent' AS source, COUNT(*) AS row_count, MAX(t.PhysicianIntentSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PhysicianIntent t
UNION ALL
SELECT
    'TreatmentPhase' AS source, COUNT(*) AS row_count, MAX(t.TreatmentPhaseSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM TreatmentPhase t
UNION ALL
SELECT
    'Prescription' AS source, COUNT(*) AS row_count, MAX(t.PrescriptionSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Prescription t
UNION ALL
SELECT
    'PrescriptionAnatomy' AS source, COUNT(*) AS row_count, MAX(t.PrescriptionAnatomySer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PrescriptionAnatomy t
UNION ALL
SELECT
    'PrescriptionAnatomyItem' AS source, COUNT(*) AS row_count, MAX(t.PrescriptionAnatomyItemSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PrescriptionAnatomyItem t
UNION ALL
SELECT
    'PlanSetup' AS source, COUNT(*) AS row_count, MAX(t.PlanSetupSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM PlanSetup t
UNION ALL
SELECT
    'RTPlan' AS source, COUNT(*) AS row_count, MAX(t.RTPlanSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM RTPlan t
UNION ALL
SELECT
    'StructureSet' AS source, COUNT(*) AS row_count, MAX(t.StructureSetSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM StructureSet t
UNION ALL
SELECT
    'Series' AS source, COUNT(*) AS row_count, MAX(t.SeriesSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Series t
UNION ALL
SELECT
    'Approval' AS source, COUNT(*) AS row_count, MAX(t.ApprovalSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Approval t
UNION ALL
SELECT
    'ChartQA' AS source, COUNT(*) AS row_count, MAX(t.ChartQASer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM ChartQA t
UNION ALL
SELECT
    'ConfigurationItem' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM ConfigurationItem t
UNION ALL
SELECT
    'Radiation' AS source, COUNT(*) AS row_count, MAX(t.RadiationSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Radiation t
UNION ALL
SELECT
    'EnergyMode' AS source, COUNT(*) AS row_count, MAX(t.EnergyModeSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM EnergyMode t
UNION ALL
SELECT
    'Technique' AS source, COUNT(*) AS row_count, MAX(t.TechniqueSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Technique t
UNION ALL
SELECT
    'Tolerance' AS source, COUNT(*) AS row_count, MAX(t.ToleranceSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM Tolerance t
UNION ALL
SELECT
    'MLCPlan' AS source, COUNT(*) AS row_count, MAX(t.MLCPlanSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM MLCPlan t
UNION ALL
SELECT
    'RadiationDeliverySetupDevice' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM RadiationDeliverySetupDevice t
UNION ALL
SELECT
    'DeliverySetupDevice' AS source, COUNT(*) AS row_count, MAX(t.DeliverySetupDeviceSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM DeliverySetupDevice t
UNION ALL
SELECT
    'TreatmentRecord' AS source, COUNT(*) AS row_count, MAX(t.TreatmentRecordSer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM TreatmentRecord t
UNION ALL
SELECT
    'ScheduledActivity' AS source, COUNT(*) AS row_count, MAX(t.ScheduledActivitySer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM ScheduledActivity t
UNION ALL
SELECT
    'RadiationHstry' AS source, COUNT(*) AS row_count, MAX(t.RadiationHstrySer) AS newest_key,
    MAX(t.HstryDateTime) AS newest_edit, 0 AS content
FROM RadiationHstry t
UNION ALL
SELECT
    'pt' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM pt t
UNION ALL
SELECT
    'pt_allergy' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM pt_allergy t
UNION ALL
SELECT
    'implantable_device' AS source, COUNT(*) AS row_count, MAX(t.id) AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM implantable_device t
UNION ALL
SELECT
    'pt_dx' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM pt_dx t
UNION ALL
SELECT
    'pt_dx_cncr' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM pt_dx_cncr t
UNION ALL
SELECT
    'quick_note' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM quick_note t
UNION ALL
SELECT
    'quick_note_typ' AS source, COUNT(*) AS row_count, MAX(t.quick_note_typ) AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM quick_note_typ t
UNION ALL
SELECT
    'visit_note' AS source, COUNT(*) AS row_count, 0 AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM visit_note t
UNION ALL
SELECT
    'note_typ' AS source, COUNT(*) AS row_count, MAX(t.note_typ) AS newest_key,
    MAX(COALESCE(t.trans_log_mtstamp, t.trans_log_tstamp)) AS newest_edit, 0 AS content
FROM note_typ t
UNION ALL
SELECT
    'PatientParticular' AS source, COUNT(*) AS row_count, MAX(t.PatientSer) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.PatientSer, t.DeathDate, t.MedicalAlerts, t.ContrastAllergies,
        t.PregnancyStatus)) AS content
FROM PatientParticular t
UNION ALL
SELECT
    'Doctor' AS source, COUNT(*) AS row_count, MAX(t.ResourceSer) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.ResourceSer, t.LastName, t.FirstName, t.Specialty, t.Institution)) AS content
FROM Doctor t
UNION ALL
SELECT
    'Machine' AS source, COUNT(*) AS row_count, MAX(t.ResourceSer) AS newest_key,
    NULL AS newest_edit, CHECKSUM_AGG(BINARY_CHECKSUM(t.ResourceSer, t.MachineId, t.MachineType)) AS content
FROM Machine t
UNION ALL
SELECT
    'ExternalFieldCommon' AS source, COUNT(*) AS row_count, MAX(t.RadiationSer) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.RadiationSer, t.Meterset, t.PatientSupportAngle, t.SSD, t.SetupFieldFlag,
        t.EnergyModeSer, t.TechniqueSer, t.ToleranceSer, t.SetupTechnique, t.CouchVrt, t.CouchLng, t.CouchLat,
        t.CouchVrtDelta, t.CouchLngDelta, t.CouchLatDelta)) AS content
FROM ExternalFieldCommon t
UNION ALL
SELECT
    'ExternalField' AS source, COUNT(*) AS row_count, MAX(t.RadiationSer) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.RadiationSer, t.DoseRate, t.GantryRtn, t.StopAngle, t.GantryRtnDirection,
        t.CollRtn)) AS content
FROM ExternalField t
UNION ALL
SELECT
    'laterality_typ' AS source, COUNT(*) AS row_count, MAX(t.laterality_typ) AS newest_key,
    NULL AS newest_edit, CHECKSUM_AGG(BINARY_CHECKSUM(t.laterality_typ, t.laterality_desc)) AS content
FROM laterality_typ t
