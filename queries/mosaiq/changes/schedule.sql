-- schedule: how many rows there are of each day, and what they say, so that only days that changed are read.
-- parameters: schedule_since, schedule_until
-- day: appointment_at
-- columns:
--   first_at                     the first time of a day, local
--   row_count                    count
--   newest_key, newest_edit      the largest number, and the time of the newest edit
--   content                      a checksum of what is read, and of what orders it
-- sources: Schedule, Ident, CPT, Staff, TxField
-- traps:
--   It reads what the query itself reads, row by row: what a joined table says of a row is its day's content, too.
--   The first eleven letters of a time are its day in SQL Server (`Nov 22 2026`) and in SQLite (`2026-11-22 `).
--   BINARY_CHECKSUM is no proof: two rows may have the same. The night finds what it hides.
SELECT
    MIN(sc.App_DtTm) AS first_at,
    COUNT(*) AS row_count,
    MAX(sc.Sch_Id) AS newest_key,
    MAX(COALESCE(sc.Edit_DtTm, sc.Create_DtTm)) AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(sc.Sch_Id, sc.Edit_DtTm, i.IDA, sc.App_DtTm, sc.Duration_time, m.Last_Name,
        us.Machine_ID_Staff_ID, sc.Activity, c.Description, c.CGroup, sc.SchStatus_Hist_SD, sc.Notes, c.Deleted,
        c.Status_Inactive, c.PRS_ID)) AS content
FROM Schedule sc
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
) i ON i.Pat_Id1 = sc.Pat_ID1 AND i.place = 1
LEFT JOIN CPT c ON RTRIM(c.Hsp_Code) = RTRIM(sc.Activity)
LEFT JOIN Staff m ON m.Staff_ID = sc.Location AND m.Machine_Type IN (1, 2)
LEFT JOIN (
    SELECT DISTINCT f.Machine_ID_Staff_ID AS Machine_ID_Staff_ID FROM TxField f
    WHERE COALESCE(f.Type_Enum, 0) NOT IN (3, 4, 5, 6, 9)
) us ON us.Machine_ID_Staff_ID = m.Staff_ID
WHERE sc.Version = 0
    AND COALESCE(sc.Suppressed, 0) = 0
    AND sc.App_DtTm >= ?
    AND sc.App_DtTm < ?
GROUP BY SUBSTRING(CAST(sc.App_DtTm AS varchar(30)), 1, 11)
