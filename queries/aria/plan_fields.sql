-- plan_fields: what each field of a plan does.
-- parameters: since, since
-- columns:
--   field_serial                 ARIA's own number of the field
--   sop_instance_uid             UID of the RT Plan
--   beam_number                  DICOM BeamNumber
--   patient_id, beam_name, treatment_machine_name   text
--   radiation_type               X, E, P, …
--   energy                       kV or keV: aria/tables.py makes MV or MeV of it
--   technique, mlc_type          ARIA's words; an ARC with MLC type VMAT is what others call VMAT
--   beam_meterset                MU
--   dose_rate                    MU per minute
--   gantry_angle, gantry_stop_angle, collimator_angle, patient_support_angle   degrees
--   gantry_direction             CW, CC or NONE
--   source_to_surface_distance   cm
--   tolerance_table, setup_note  text
--   reference_image_uid          UID of the field's reference image
--   is_setup_field               1: an imaging field, which treats nobody
--   treatment_order              count
-- sources: Radiation, PlanSetup, RTPlan, Course, Patient, Machine, ExternalFieldCommon, ExternalField, EnergyMode,
--   Technique, Tolerance, MLCPlan, TreatmentRecord
-- traps:
--   Setup fields come too, and say so.
--   A field without ExternalFieldCommon is brachytherapy's.
--   One field may have several MLC plans: the first one stands, the rest of the row being the same.
SELECT
    ra.RadiationSer AS field_serial,
    rp.PlanUID AS sop_instance_uid,
    ra.RadiationNumber AS beam_number,
    p.PatientId AS patient_id,
    ra.RadiationId AS beam_name,
    m.MachineId AS treatment_machine_name,
    em.RadiationType AS radiation_type,
    em.Energy AS energy,
    te.TechniqueId AS technique,
    ml.MLCPlanType AS mlc_type,
    ef.Meterset AS beam_meterset,
    fi.DoseRate AS dose_rate,
    fi.GantryRtn AS gantry_angle,
    fi.StopAngle AS gantry_stop_angle,
    fi.GantryRtnDirection AS gantry_direction,
    fi.CollRtn AS collimator_angle,
    ef.PatientSupportAngle AS patient_support_angle,
    ef.SSD AS source_to_surface_distance,
    tl.ToleranceId AS tolerance_table,
    ra.RefImageUID AS reference_image_uid,
    ra.SetupNote AS setup_note,
    ef.SetupFieldFlag AS is_setup_field,
    ra.RadiationOrder AS treatment_order
FROM Radiation ra
JOIN PlanSetup ps ON ps.PlanSetupSer = ra.PlanSetupSer
JOIN RTPlan rp ON rp.PlanSetupSer = ps.PlanSetupSer
JOIN Course c ON c.CourseSer = ps.CourseSer
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN Machine m ON m.ResourceSer = ra.ResourceSer
LEFT JOIN ExternalFieldCommon ef ON ef.RadiationSer = ra.RadiationSer
LEFT JOIN ExternalField fi ON fi.RadiationSer = ra.RadiationSer
LEFT JOIN EnergyMode em ON em.EnergyModeSer = ef.EnergyModeSer
LEFT JOIN Technique te ON te.TechniqueSer = ef.TechniqueSer
LEFT JOIN Tolerance tl ON tl.ToleranceSer = ef.ToleranceSer
LEFT JOIN MLCPlan ml ON ml.RadiationSer = ra.RadiationSer
WHERE ps.StatusDate >= ?
    OR rp.RTPlanSer IN (SELECT r.RTPlanSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
ORDER BY rp.RTPlanSer, ra.RadiationNumber, ra.RadiationSer, ml.MLCPlanSer
