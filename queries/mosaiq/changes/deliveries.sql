-- deliveries: how many rows there are of each day, and what they say, so that only days that changed are read.
-- parameters: since, until
-- day: treated_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
--   content                      a checksum of what is read, and of what orders it
-- sources: Dose_Hst, Ident, TxField, Site, Staff, PatTxCal
-- traps:
--   It reads what the query itself reads, row by row: what a joined table says of a row is its day's content, too.
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   BINARY_CHECKSUM is no proof: two rows may have the same. The night finds what it hides.
SELECT
    MIN(dh.Tx_DtTm) AS first_at,
    COUNT(*) AS row_count,
    MAX(dh.DHS_ID) AS newest_key,
    MAX(COALESCE(dh.Edit_DtTm, dh.Create_DtTm)) AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(dh.DHS_ID, dh.Edit_DtTm, i.IDA, f.OriginalPlanUID, s.SIT_SET_ID, dh.Fractions_Tx,
        f.OriginalBeamNumber, f.Field_Name, f.OriginalBeamName, f.Field_Label, m.Last_Name, dh.Tx_DtTm, f.Meterset,
        dh.Meterset, dh.Termination_Status_Enum, dh.TerminationCode, dh.PartiallyTreated, dh.WasQAMode,
        dh.IsOpenPort, pt.IsPartial, dh.Type_Enum, f.Type_Enum, dh.Modality_Enum, f.Modality_Enum,
        dh.WasOverridden)) AS content
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
GROUP BY SUBSTRING(CAST(dh.Tx_DtTm AS varchar(30)), 1, 11)
