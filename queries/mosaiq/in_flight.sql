-- in_flight: what began and was not recorded.
-- parameters: in_flight_since
-- columns:
--   in_flight_id                 TrackTreatment's number (TTX_ID)
--   patient_id                   text
--   referenced_rt_plan_uid       UID of the RT Plan that the field came from; null for a field entered by hand
--   beam_number                  DICOM BeamNumber
--   field_name, original_beam_name, field_label, treatment_machine_name   text
--   started_at                   local time at which the field was sent to the machine
--   fraction_number              count; null unless a delivery is linked
--   delivered_meterset           MU; null unless a delivery is linked
-- sources: TrackTreatment, Ident, TxField, Staff, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   What TrackTreatment's columns mean is inferred from their names: WasBeamOn 1 and WasRecorded 0 is a field whose
--   beam was on and that has no record. Sent_DtTm is when it was sent to the machine: the beam came on later.
--   WasQAMode treats nobody, WasResolved was settled by a person: neither comes. WasCanceled ones do: their beam
--   was on. A NULL of WasBeamOn is no beam; a NULL of the others is read as 0.
--   Fields of Type_Enum 3, 4, 5, 6 and 9 (setup, kV setup, CT, port, MV CT) treat nobody: left out.
--   Old rows that nobody resolved are no emergency: only those of the last days come.
--   Nothing tells the fraction or the meterset before a record is written: null, and not guessed.
SELECT
    tt.TTX_ID AS in_flight_id,
    i.IDA AS patient_id,
    RTRIM(f.OriginalPlanUID) AS referenced_rt_plan_uid,
    f.OriginalBeamNumber AS beam_number,
    f.Field_Name AS field_name,
    f.OriginalBeamName AS original_beam_name,
    f.Field_Label AS field_label,
    m.Last_Name AS treatment_machine_name,
    tt.Sent_DtTm AS started_at,
    dh.Fractions_Tx AS fraction_number,
    dh.Meterset AS delivered_meterset
FROM TrackTreatment tt
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
) i ON i.Pat_Id1 = tt.Pat_ID1 AND i.place = 1
LEFT JOIN TxField f ON f.FLD_ID = tt.FLD_ID
LEFT JOIN Staff m ON m.Staff_ID = tt.Machine_ID_Staff_ID
LEFT JOIN Dose_Hst dh ON dh.DHS_ID = tt.DHS_ID
WHERE tt.WasBeamOn = 1
    AND COALESCE(tt.WasRecorded, 0) = 0
    AND COALESCE(tt.WasResolved, 0) = 0
    AND COALESCE(tt.WasQAMode, 0) = 0
    AND COALESCE(f.Type_Enum, 0) NOT IN (3, 4, 5, 6, 9)
    AND tt.Sent_DtTm >= ?
ORDER BY tt.TTX_ID
