-- couch_shifts: where the couch stood at each delivery, and how far imaging had moved it.
-- parameters: couch_since, until
-- columns:
--   delivery_id                  RadiationHstry's number, as in deliveries
--   patient_id                   text
--   treated_at                   start, local time
--   couch_vertical, couch_longitudinal, couch_lateral   cm
--   correction_vertical, correction_longitudinal, correction_lateral   cm
-- sources: RadiationHstry, TreatmentRecord, Patient, ExternalFieldCommonHstry
-- traps:
--   Couch positions are in the scale of the site's ARIA, not in IEC 61217's: compare, don't compute.
--   Only deliveries of recent months: older positions help nobody to set a patient up.
SELECT
    rh.RadiationHstrySer AS delivery_id,
    p.PatientId AS patient_id,
    rh.TreatmentStartTime AS treated_at,
    eh.CouchVrt AS couch_vertical,
    eh.CouchLng AS couch_longitudinal,
    eh.CouchLat AS couch_lateral,
    eh.CouchCorrectionVrt AS correction_vertical,
    eh.CouchCorrectionLng AS correction_longitudinal,
    eh.CouchCorrectionLat AS correction_lateral
FROM RadiationHstry rh
JOIN TreatmentRecord tr ON tr.TreatmentRecordSer = rh.TreatmentRecordSer
JOIN Patient p ON p.PatientSer = tr.PatientSer
JOIN ExternalFieldCommonHstry eh ON eh.RadiationHstrySer = rh.RadiationHstrySer
WHERE rh.TreatmentStartTime >= ? AND rh.TreatmentStartTime < ?
ORDER BY rh.RadiationHstrySer
