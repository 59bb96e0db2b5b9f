-- plans: every plan that somebody may treat with, or has.
-- parameters: since, since
-- columns:
--   sop_instance_uid             UID of the RT Plan (TxField.OriginalPlanUID)
--   patient_id                   text
--   course_number, course_serial   of the course, see courses
--   rt_plan_label                RtPlan.Label; null where the plan's own row is gone
--   field_type                   number, translated in mosaiq/words.py
--   field_version                0 is the newest; others only where no field of the plan is the newest
--   is_hidden                    0 or 1, of the field
--   is_retired                   0 or 1: whether the patient's number is
--   was_imported, was_delivered  0 or 1: whether the plan came by DICOM for this patient, or was given to them
--   field_approved_at, field_approved_by_family_name, field_approved_by_given_name
--                                who signed this field, and when (local time)
--   prescription_status          Site's number, translated in mosaiq/words.py
--   prescription_approved_at     local time
--   number_of_fractions_planned  count, of the prescription
--   dose_per_fraction            cGy, of the prescription
--   structure_set_uid, frame_of_reference_uid   UIDs, of one setup
--   treatment_orientation        number, translated in mosaiq/words.py
--   prescription_id              SIT_SET_ID
--   fraction_pattern             as typed
-- sources: TxField, Ident, Site, PatCPlan, SiteSetup, DCMInstance, RtPlan, Staff, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   MOSAIQ treats fields, not plans: a plan is what its fields name as OriginalPlanUID (CHAR: padded). Fields
--   entered by hand name none: they are counted in plan_fields.
--   Version 0 is the tip of TxField, Site and SiteSetup; TxField joins Site by SIT_Set_ID. A plan of which no field
--   is a tip any more was replaced (imported anew into the same fields): it comes, and says so.
--   One plan may stand under several patients: a phantom on whom it was measured, a patient who was merged.
--   plan_owners.py decides whose it is.
--   A plan is approved for treatment when its prescription is (Status_Enum 5, or signed where there is no number)
--   and every one of its treatment fields is signed (Sanct_DtTm). Setup fields have no say, nor hidden ones
--   beside one that is not; a plan of which all are hidden is not treated.
--   One plan gives a row for each field and setup: mosaiq/plans.py makes one of them; where they name different
--   prescriptions, structure sets or frames of reference, that column is null.
--   Dose_Tx is cGy. Intent, type and order of a plan, and who changed its status, are not in the public schema: null.
SELECT
    RTRIM(f.OriginalPlanUID) AS sop_instance_uid,
    i.IDA AS patient_id,
    pc.Course AS course_number,
    pc.PCP_ID AS course_serial,
    rp.Label AS rt_plan_label,
    f.Type_Enum AS field_type,
    f.Version AS field_version,
    f.IsHidden AS is_hidden,
    i.Status_Inactive AS is_retired,
    CASE WHEN rp.DCMInstance_ID IS NULL THEN 0 ELSE 1 END AS was_imported,
    CASE WHEN gv.plan_uid IS NULL THEN 0 ELSE 1 END AS was_delivered,
    f.Sanct_DtTm AS field_approved_at,
    fa.Last_Name AS field_approved_by_family_name,
    fa.First_Name AS field_approved_by_given_name,
    s.Status_Enum AS prescription_status,
    s.Sanct_DtTm AS prescription_approved_at,
    s.Fractions AS number_of_fractions_planned,
    s.Dose_Tx AS dose_per_fraction,
    ss.Structure_Set_UID AS structure_set_uid,
    ss.Frame_Of_Reference_UID AS frame_of_reference_uid,
    ss.Patient_Orient AS treatment_orientation,
    s.SIT_SET_ID AS prescription_id,
    s.Frac_Pattern AS fraction_pattern
FROM TxField f
JOIN (
    SELECT
        nr.Pat_Id1 AS Pat_Id1, nr.IDA AS IDA, nr.Status_Inactive AS Status_Inactive,
        ROW_NUMBER() OVER (
            PARTITION BY nr.Pat_Id1
            ORDER BY
                CASE WHEN COALESCE(RTRIM(nr.IDA), '') = '' THEN 1 ELSE 0 END,
                COALESCE(nr.Status_Inactive, 0), nr.IDENT_ID DESC
        ) AS place
    FROM Ident nr
    WHERE nr.Version = 0
) i ON i.Pat_Id1 = f.Pat_ID1 AND i.place = 1
LEFT JOIN Site s ON s.SIT_SET_ID = f.SIT_Set_ID AND s.Version = 0
LEFT JOIN PatCPlan pc ON pc.PCP_ID = s.PCP_ID
LEFT JOIN SiteSetup ss ON ss.Sit_Set_ID = f.SIT_Set_ID AND ss.Version = 0
    AND COALESCE(ss.IsExcludedFromTreatment, 0) = 0
LEFT JOIN DCMInstance di ON di.SOPInstanceUID = RTRIM(f.OriginalPlanUID)
LEFT JOIN RtPlan rp ON rp.DCMInstance_ID = di.DCMInstance_ID AND rp.Pat_ID1 = f.Pat_ID1
LEFT JOIN Staff fa ON fa.Staff_ID = f.Sanct_ID
LEFT JOIN (
    SELECT DISTINCT tf.Pat_ID1 AS Pat_ID1, RTRIM(tf.OriginalPlanUID) AS plan_uid
    FROM TxField tf
    WHERE tf.Version = 0
) tp ON tp.Pat_ID1 = f.Pat_ID1 AND tp.plan_uid = RTRIM(f.OriginalPlanUID)
LEFT JOIN (
    SELECT DISTINCT gd.Pat_ID1 AS Pat_ID1, RTRIM(gf.OriginalPlanUID) AS plan_uid
    FROM Dose_Hst gd
    JOIN TxField gf ON gf.FLD_ID = gd.FLD_ID
    WHERE COALESCE(gd.WasQAMode, 0) = 0
) gv ON gv.Pat_ID1 = f.Pat_ID1 AND gv.plan_uid = RTRIM(f.OriginalPlanUID)
WHERE (f.Version = 0 OR tp.plan_uid IS NULL)
    AND RTRIM(f.OriginalPlanUID) <> ''
    AND (
        f.Pat_ID1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
        OR f.Pat_ID1 IN (
            SELECT e.Pat_ID1 FROM TxField e WHERE COALESCE(e.Edit_DtTm, e.Create_DtTm) >= ? AND e.Pat_ID1 IS NOT NULL
        )
    )
ORDER BY f.Pat_ID1, f.OriginalPlanUID, f.FLD_ID, ss.SIS_ID
