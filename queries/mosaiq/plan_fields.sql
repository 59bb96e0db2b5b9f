-- plan_fields: what each field of a plan does.
-- parameters: since, since
-- columns:
--   field_serial                 MOSAIQ's own number of this version of the field (FLD_ID)
--   sop_instance_uid             UID of the RT Plan (TxField.OriginalPlanUID)
--   beam_number                  DICOM BeamNumber (TxField.OriginalBeamNumber)
--   patient_id, field_name, original_beam_name, field_label, treatment_machine_name   text
--   modality, field_type         numbers, translated in mosaiq/words.py
--   energy                       MV or MeV; kV for orthovoltage and kV fields
--   beam_meterset                MU
--   dose_rate                    MU per minute
--   gantry_angle, gantry_stop_angle, collimator_angle, patient_support_angle   degrees; at the first and last point
--   source_to_surface_distance   cm
--   setup_note                   text, of one setup of the field's site
--   is_hidden                    0 or 1
--   entered_by_hand              FLD_ID where there is no plan's UID or no beam number, so that such fields stay apart
--   treatment_order              count (DisplaySequence)
-- sources: TxField, Ident, Staff, TxFieldPoint, SiteSetup, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Version 0 is the tip of TxField and SiteSetup. Machines are Staff rows (Machine_Type 1 or 2), Last_Name is CHAR.
--   Type_Enum 3, 4, 5, 6 and 9 (setup, kV setup, CT, port, MV CT) image and treat nobody: they come, and say so.
--   A field entered by hand has no plan's UID or no beam number: it has no place in this table and is counted as
--   left out. Hidden and twice imported fields have the number of another one: the visible, newest one stands.
--   Index is the share of the meterset in %: 100 is the last point.
--   Meanings of Energy_Unit_Enum and Gantry_Dir_Enum are not public (sources disagree): the energy's unit follows
--   from the modality, the direction is null. Names of tolerance tables, MLC's kind and the reference image's UID
--   are not in the public schema: null. Meterset_Rate as MU per minute is read from its name.
SELECT
    f.FLD_ID AS field_serial,
    RTRIM(f.OriginalPlanUID) AS sop_instance_uid,
    f.OriginalBeamNumber AS beam_number,
    i.IDA AS patient_id,
    f.Field_Name AS field_name,
    f.OriginalBeamName AS original_beam_name,
    f.Field_Label AS field_label,
    m.Last_Name AS treatment_machine_name,
    f.Modality_Enum AS modality,
    f.Type_Enum AS field_type,
    a.Energy AS energy,
    f.Meterset AS beam_meterset,
    a.Meterset_Rate AS dose_rate,
    a.Gantry_Ang AS gantry_angle,
    z.Gantry_Ang AS gantry_stop_angle,
    a.Coll_Ang AS collimator_angle,
    a.Couch_Ang AS patient_support_angle,
    f.Ssd AS source_to_surface_distance,
    ss.Setup_Note AS setup_note,
    f.IsHidden AS is_hidden,
    CASE WHEN COALESCE(RTRIM(f.OriginalPlanUID), '') = '' OR f.OriginalBeamNumber IS NULL THEN f.FLD_ID END
        AS entered_by_hand,
    f.DisplaySequence AS treatment_order
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
LEFT JOIN Staff m ON m.Staff_ID = f.Machine_ID_Staff_ID
LEFT JOIN TxFieldPoint a ON a.FLD_ID = f.FLD_ID AND a.Point = 0
LEFT JOIN TxFieldPoint z ON z.FLD_ID = f.FLD_ID AND z.[Index] = 100
LEFT JOIN SiteSetup ss ON ss.Sit_Set_ID = f.SIT_Set_ID AND ss.Version = 0
    AND COALESCE(ss.IsExcludedFromTreatment, 0) = 0
WHERE f.Version = 0
    AND (
        f.Pat_ID1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
        OR f.Pat_ID1 IN (
            SELECT e.Pat_ID1 FROM TxField e WHERE COALESCE(e.Edit_DtTm, e.Create_DtTm) >= ? AND e.Pat_ID1 IS NOT NULL
        )
    )
ORDER BY f.Pat_ID1, f.OriginalPlanUID, f.OriginalBeamNumber, COALESCE(f.IsHidden, 0), f.FLD_ID DESC,
    CASE WHEN ss.Status_Enum = 5 THEN 0 ELSE 1 END, ss.SIS_ID DESC, z.Point DESC
