-- couch_shifts: how many rows there are of each day, and what they say, so that only days that changed are read.
-- parameters: couch_since, until
-- day: treated_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
--   content                      a checksum of what is read, and of what orders it
-- sources: Dose_Hst, Ident, FLD_HST, TxFieldPoint_Hst, Site, Offset
-- traps:
--   It reads what the query itself reads, row by row: what a joined table says of a row is its day's content, too.
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   BINARY_CHECKSUM is no proof: two rows may have the same. The night finds what it hides.
SELECT
    MIN(dh.Tx_DtTm) AS first_at,
    COUNT(*) AS row_count,
    MAX(dh.DHS_ID) AS newest_key,
    MAX(COALESCE(dh.Edit_DtTm, dh.Create_DtTm)) AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(dh.DHS_ID, dh.Edit_DtTm, i.IDA, dh.Tx_DtTm, ph.Couch_Vrt, ph.Couch_Lng,
        ph.Couch_Lat, o.Study_DtTm, o.Anterior_Offset, o.Superior_Offset, o.Lateral_Offset, fh.FHS_ID,
        o.OFF_ID)) AS content
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
GROUP BY SUBSTRING(CAST(dh.Tx_DtTm AS varchar(30)), 1, 11)
