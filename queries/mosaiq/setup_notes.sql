-- setup_notes: how the patient lies, with what, and where the couch goes.
-- parameters: since, since
-- columns:
--   sop_instance_uid, beam_number   UID of the RT Plan, DICOM BeamNumber
--   patient_id                   text
--   treatment_orientation        number, translated in mosaiq/words.py
--   setup_name, setup_technique, setup_note   text
--   couch_vertical, couch_longitudinal, couch_lateral   planned position, cm
--   shift_vertical, shift_longitudinal, shift_lateral   prescribed shift from the reference, cm
-- sources: TxField, Ident, SiteSetup, Offset, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   A setup belongs to a site (Sit_Set_ID) and so to all of its fields; a site may have several: the approved
--   (Status_Enum 5), newest one stands. IsExcludedFromTreatment ones are left out.
--   Version 0 is the tip of TxField, SiteSetup and Offset.
--   The prescribed shift is the Offset that the setup names (Off_Set_ID): superior is longitudinal, anterior
--   vertical. Signs are MOSAIQ's: compare, don't compute.
--   Setup devices are not in the public schema: null. Fields without a plan's UID or number: see plan_fields.
SELECT
    RTRIM(f.OriginalPlanUID) AS sop_instance_uid,
    f.OriginalBeamNumber AS beam_number,
    i.IDA AS patient_id,
    ss.Patient_Orient AS treatment_orientation,
    ss.Setup_Name AS setup_name,
    ss.Setup_Technique_Description AS setup_technique,
    ss.Setup_Note AS setup_note,
    ss.Couch_Vrt AS couch_vertical,
    ss.Couch_Lng AS couch_longitudinal,
    ss.Couch_Lat AS couch_lateral,
    o.Anterior_Offset AS shift_vertical,
    o.Superior_Offset AS shift_longitudinal,
    o.Lateral_Offset AS shift_lateral
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
JOIN SiteSetup ss ON ss.Sit_Set_ID = f.SIT_Set_ID AND ss.Version = 0 AND COALESCE(ss.IsExcludedFromTreatment, 0) = 0
LEFT JOIN [Offset] o ON o.OFF_Set_ID = ss.Off_Set_ID AND o.Version = 0
WHERE f.Version = 0
    AND RTRIM(f.OriginalPlanUID) <> ''
    AND f.OriginalBeamNumber IS NOT NULL
    AND (
        f.Pat_ID1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
        OR f.Pat_ID1 IN (
            SELECT e.Pat_ID1 FROM TxField e WHERE COALESCE(e.Edit_DtTm, e.Create_DtTm) >= ? AND e.Pat_ID1 IS NOT NULL
        )
    )
ORDER BY f.Pat_ID1, f.OriginalPlanUID, f.OriginalBeamNumber, COALESCE(f.IsHidden, 0), f.FLD_ID DESC,
    CASE WHEN ss.Status_Enum = 5 THEN 0 ELSE 1 END, ss.SIS_ID DESC
