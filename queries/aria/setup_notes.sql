-- setup_notes: how the patient lies, with what, and where the couch goes.
-- parameters: since, since
-- columns:
--   field_serial                 ARIA's own number of the field
--   sop_instance_uid, beam_number   UID of the RT Plan, DICOM BeamNumber
--   patient_id                   text
--   treatment_orientation, setup_technique, setup_note   text
--   device, device_type          one setup device
--   couch_vertical, couch_longitudinal, couch_lateral   planned position, cm
--   shift_vertical, shift_longitudinal, shift_lateral   planned shift from the reference, cm
-- sources: Radiation, PlanSetup, RTPlan, Course, Patient, ExternalFieldCommon, RadiationDeliverySetupDevice,
--   DeliverySetupDevice, TreatmentRecord
-- traps:
--   One field gives a row for each device: aria/tables.py makes one of them.
--   Couch positions are in the scale of the site's ARIA, not in IEC 61217's: compare, don't compute.
SELECT
    ra.RadiationSer AS field_serial,
    rp.PlanUID AS sop_instance_uid,
    ra.RadiationNumber AS beam_number,
    p.PatientId AS patient_id,
    ps.TreatmentOrientation AS treatment_orientation,
    ef.SetupTechnique AS setup_technique,
    ra.SetupNote AS setup_note,
    de.DeliverySetupDeviceId AS device,
    de.DeviceType AS device_type,
    ef.CouchVrt AS couch_vertical,
    ef.CouchLng AS couch_longitudinal,
    ef.CouchLat AS couch_lateral,
    ef.CouchVrtDelta AS shift_vertical,
    ef.CouchLngDelta AS shift_longitudinal,
    ef.CouchLatDelta AS shift_lateral
FROM Radiation ra
JOIN PlanSetup ps ON ps.PlanSetupSer = ra.PlanSetupSer
JOIN RTPlan rp ON rp.PlanSetupSer = ps.PlanSetupSer
JOIN Course c ON c.CourseSer = ps.CourseSer
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN ExternalFieldCommon ef ON ef.RadiationSer = ra.RadiationSer
LEFT JOIN RadiationDeliverySetupDevice rd ON rd.RadiationSer = ra.RadiationSer
LEFT JOIN DeliverySetupDevice de ON de.DeliverySetupDeviceSer = rd.DeliverySetupDeviceSer
WHERE ps.StatusDate >= ?
    OR rp.RTPlanSer IN (SELECT r.RTPlanSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
ORDER BY rp.RTPlanSer, ra.RadiationNumber, ra.RadiationSer, de.DeliverySetupDeviceSer
