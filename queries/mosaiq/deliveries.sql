-- deliveries: what was delivered, field by field.
-- parameters: since, until
-- columns:
--   delivery_id                  Dose_Hst's number (DHS_ID)
--   patient_id                   text
--   referenced_rt_plan_uid       UID of the RT Plan that the field came from; null for a field entered by hand
--   treatment_record_uid         null: MOSAIQ makes no RT treatment records
--   prescription_id              SIT_SET_ID of the prescription that the dose counts for
--   fraction_number              count
--   beam_number                  DICOM BeamNumber
--   field_name, original_beam_name, field_label, treatment_machine_name   text
--   treated_at                   local time
--   planned_meterset             MU, of the version of the field that was treated
--   delivered_meterset           MU
--   termination, termination_reason   MOSAIQ's number, translated in mosaiq/deliveries.py, and its code as it is
--   is_partial, was_qa_mode, is_open_port, is_make_up   0 or 1
--   delivered_type, field_type   numbers; the delivered one stands where it says something
--   modality                     number, translated in mosaiq/words.py
--   was_overridden               0 or 1
-- sources: Dose_Hst, Ident, TxField, Site, Staff, PatTxCal
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   One row per field, not per fraction. Dose_Hst joins TxField by FLD_ID and Site by SIT_ID, each of ANY version:
--   never ask for Version 0 here, a field or prescription that was edited since would lose its deliveries.
--   Nothing is filtered: QA mode says VERIFICATION, setup, kV, CT and MV CT say SETUP, ports say that they are
--   portfilms, in delivery_type; what ended early says so in termination_status.
--   PartiallyTreated marks what ended early; Termination_Status_Enum is read as 0 unknown, 1 normal, 2 operator,
--   3 machine, as one public code does: where it contradicts PartiallyTreated, the termination is UNKNOWN.
--   PatTxCal.IsPartial marks the make-up of an interrupted field (CONTINUATION). That an open port (IsOpenPort)
--   treats nobody is read from its name. MetersetUnit_Enum's meaning is not public: metersets are taken as MU.
--   The planned meterset is TxField's, the delivered one Dose_Hst's: never the one for the other.
SELECT
    dh.DHS_ID AS delivery_id,
    i.IDA AS patient_id,
    RTRIM(f.OriginalPlanUID) AS referenced_rt_plan_uid,
    NULL AS treatment_record_uid,
    s.SIT_SET_ID AS prescription_id,
    dh.Fractions_Tx AS fraction_number,
    f.OriginalBeamNumber AS beam_number,
    f.Field_Name AS field_name,
    f.OriginalBeamName AS original_beam_name,
    f.Field_Label AS field_label,
    m.Last_Name AS treatment_machine_name,
    dh.Tx_DtTm AS treated_at,
    f.Meterset AS planned_meterset,
    dh.Meterset AS delivered_meterset,
    dh.Termination_Status_Enum AS termination,
    dh.TerminationCode AS termination_reason,
    dh.PartiallyTreated AS is_partial,
    dh.WasQAMode AS was_qa_mode,
    dh.IsOpenPort AS is_open_port,
    pt.IsPartial AS is_make_up,
    dh.Type_Enum AS delivered_type,
    f.Type_Enum AS field_type,
    COALESCE(dh.Modality_Enum, f.Modality_Enum) AS modality,
    dh.WasOverridden AS was_overridden
FROM Dose_Hst dh
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
) i ON i.Pat_Id1 = dh.Pat_ID1 AND i.place = 1
LEFT JOIN TxField f ON f.FLD_ID = dh.FLD_ID
LEFT JOIN Site s ON s.SIT_ID = dh.SIT_ID
LEFT JOIN Staff m ON m.Staff_ID = dh.Machine_ID_Staff_ID
LEFT JOIN PatTxCal pt ON pt.PTC_ID = dh.PTC_ID
WHERE dh.Tx_DtTm >= ? AND dh.Tx_DtTm < ?
ORDER BY dh.DHS_ID
