-- in_flight: what began and was not finished.
-- parameters: in_flight_since
-- columns:
--   in_flight_id                 RTPlan's number: a plan has one fraction that is running
--   patient_id                   text
--   referenced_rt_plan_uid       UID of the RT Plan
--   beam_number, beam_name, fraction_number, treatment_machine_name, started_at, delivered_meterset
--                                null: the view tells none of them
-- sources: vv_sy_DoseFiguresApp, RTPlan, Patient, TreatmentRecord
-- traps:
--   That RunningPartial other than 0 is a fraction begun and not finished is inferred from its name; vendors' views
--   may change between versions.
--   The view has a row for each reference point: aria/tables.py makes one of those of a plan.
--   Only plans treated in the last days: a fraction left unfinished years ago is no emergency.
--   What was delivered of it stands in deliveries.
SELECT
    rp.RTPlanSer AS in_flight_id,
    p.PatientId AS patient_id,
    rp.PlanUID AS referenced_rt_plan_uid,
    NULL AS beam_number,
    NULL AS beam_name,
    NULL AS fraction_number,
    NULL AS treatment_machine_name,
    NULL AS started_at,
    NULL AS delivered_meterset
FROM vv_sy_DoseFiguresApp df
JOIN RTPlan rp ON rp.RTPlanSer = df.RTPlanSer
JOIN Patient p ON p.PatientSer = df.PatientSer
WHERE df.RunningPartial <> 0
    AND rp.PlanUID IN (SELECT r.PlanUID FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
ORDER BY rp.RTPlanSer, df.RefPointSer
