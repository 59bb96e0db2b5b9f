-- couch_shifts: where the couch stood at each delivery, and how far imaging had moved it.
-- parameters: couch_since, until
-- columns:
--   delivery_id                  Dose_Hst's number (DHS_ID), as in deliveries
--   patient_id                   text
--   treated_at                   local time
--   couch_vertical, couch_longitudinal, couch_lateral   cm, as treated
--   corrected_at                 local time of the newest localisation before this delivery
--   correction_vertical, correction_longitudinal, correction_lateral   cm, of that localisation
-- sources: Dose_Hst, Ident, FLD_HST, TxFieldPoint_Hst, Site, Offset
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   TxFieldPoint_Hst.Point 0 is enough: the couch stands still, or moves as the plan says.
--   Nothing links a localisation (Offset_Type 2, Version 0, not reset or excluded) to a delivery but the site and
--   the time: the newest one of the site before the delivery; one of more than an hour before is not this
--   session's, mosaiq/deliveries.py leaves it out.
--   Dose_Hst joins Site by SIT_ID of any version, Offset joins it by Sit_Set_ID.
--   Superior is longitudinal, anterior vertical; signs and scales are MOSAIQ's: compare, don't compute.
--   Offset_Type 3 is read as `Portal` by some and `Session` by others: not used.
SELECT
    dh.DHS_ID AS delivery_id,
    i.IDA AS patient_id,
    dh.Tx_DtTm AS treated_at,
    ph.Couch_Vrt AS couch_vertical,
    ph.Couch_Lng AS couch_longitudinal,
    ph.Couch_Lat AS couch_lateral,
    o.Study_DtTm AS corrected_at,
    o.Anterior_Offset AS correction_vertical,
    o.Superior_Offset AS correction_longitudinal,
    o.Lateral_Offset AS correction_lateral
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
LEFT JOIN FLD_HST fh ON fh.DHS_ID = dh.DHS_ID
LEFT JOIN TxFieldPoint_Hst ph ON ph.FHS_ID = fh.FHS_ID AND ph.Point = 0
LEFT JOIN Site s ON s.SIT_ID = dh.SIT_ID
LEFT JOIN [Offset] o ON o.Sit_Set_ID = s.SIT_SET_ID AND o.Version = 0 AND o.Offset_Type = 2
    AND o.Offset_State IN (1, 2) AND o.Study_DtTm <= dh.Tx_DtTm
LEFT JOIN [Offset] newer ON newer.Sit_Set_ID = o.Sit_Set_ID AND newer.Version = 0 AND newer.Offset_Type = 2
    AND newer.Offset_State IN (1, 2) AND newer.Study_DtTm <= dh.Tx_DtTm AND newer.Study_DtTm > o.Study_DtTm
WHERE dh.Tx_DtTm >= ? AND dh.Tx_DtTm < ? AND newer.OFF_ID IS NULL
ORDER BY dh.DHS_ID, fh.FHS_ID, o.OFF_ID DESC
