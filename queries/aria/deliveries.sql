-- deliveries: what was delivered, field by field.
-- parameters: since, until
-- columns:
--   delivery_id                  RadiationHstry's number
--   patient_id                   text
--   referenced_rt_plan_uid, treatment_record_uid   UIDs of the RT Plan and of the RT treatment record
--   prescription_id              null: plans tell it
--   fraction_number              count
--   beam_number                  DICOM BeamNumber; the plan's where the history has none
--   beam_name, treatment_machine_name   text
--   radiation_type               X, E, P, …
--   treated_at                   start, local time
--   planned_meterset, delivered_meterset   MU
--   termination_status           NORMAL, OPERATOR, MACHINE, UNKNOWN (DICOM TreatmentTerminationStatus)
--   termination_reason           ARIA's beam-off code
--   delivery_type                TREATMENT, CONTINUATION, SETUP, … (DICOM TreatmentDeliveryType)
--   was_overridden               0 or 1
-- sources: RadiationHstry, TreatmentRecord, Patient, Machine, ExternalFieldCommonHstry, Radiation
-- traps:
--   A field that was stopped and resumed has two rows of one fraction number: add them up.
--   Setup fields and portfilms come too, and say so in delivery_type.
--   TreatmentRecord.PlanUID, not RTPlanSer, tells the plan: RTPlanSer may be null.
--   A delivery without ExternalFieldCommonHstry is brachytherapy's: it has no metersets.
SELECT
    rh.RadiationHstrySer AS delivery_id,
    p.PatientId AS patient_id,
    tr.PlanUID AS referenced_rt_plan_uid,
    tr.TreatmentRecordUID AS treatment_record_uid,
    NULL AS prescription_id,
    rh.FractionNumber AS fraction_number,
    COALESCE(rh.RadiationNumber, ra.RadiationNumber) AS beam_number,
    rh.RadiationId AS beam_name,
    m.MachineId AS treatment_machine_name,
    rh.RadiationType AS radiation_type,
    rh.TreatmentStartTime AS treated_at,
    eh.PlannedMeterset AS planned_meterset,
    eh.ActualMeterset AS delivered_meterset,
    rh.TerminationStatus AS termination_status,
    rh.BeamOffCode AS termination_reason,
    rh.TreatmentDeliveryType AS delivery_type,
    rh.OverrideFlag AS was_overridden
FROM RadiationHstry rh
JOIN TreatmentRecord tr ON tr.TreatmentRecordSer = rh.TreatmentRecordSer
JOIN Patient p ON p.PatientSer = tr.PatientSer
LEFT JOIN Machine m ON m.ResourceSer = tr.ActualMachineSer
LEFT JOIN ExternalFieldCommonHstry eh ON eh.RadiationHstrySer = rh.RadiationHstrySer
LEFT JOIN Radiation ra ON ra.RadiationSer = rh.RadiationSer
WHERE rh.TreatmentStartTime >= ? AND rh.TreatmentStartTime < ?
ORDER BY rh.RadiationHstrySer
