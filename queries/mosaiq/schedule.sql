-- schedule: who is booked where and when.
-- parameters: schedule_since, schedule_until
-- columns:
--   appointment_id               Sch_Id of the newest version
--   patient_id                   text
--   appointment_at               local time
--   duration                     hundredths of a second
--   machine_name                 null where the location is no machine
--   has_fields                   1: a field that treats names that machine
--   activity_code, activity      the clinic's code, and its words; null where they are gone
--   activity_category            text
--   status                       two characters, translated in mosaiq/tables.py
--   note                         text
-- sources: Schedule, Ident, CPT, Staff, TxField
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Version 0 is the tip, Suppressed 1 is deleted: both are needed, else what was moved or withdrawn comes as well.
--   SchStatus_Hist_SD: the first character marks S a new start, O a boost, F a final one (F is inferred), the
--   second C, D or E that it was kept; X is cancelled. A lone S, O or F is a slot to come, not a cancelled one.
--   Cancelled appointments come, and say so. Activity is CHAR (padded) and joins CPT.Hsp_Code, which may stand in
--   several CPT rows: mosaiq/tables.py makes one of them, those in use first.
--   A machine is a Staff row with Machine_Type 1 or 2; a location may be a room. Which of the two treats is not
--   public: what no treatment field is on, such as a CT scanner, treats nobody.
SELECT
    sc.Sch_Id AS appointment_id,
    i.IDA AS patient_id,
    sc.App_DtTm AS appointment_at,
    sc.Duration_time AS duration,
    m.Last_Name AS machine_name,
    CASE WHEN us.Machine_ID_Staff_ID IS NULL THEN 0 ELSE 1 END AS has_fields,
    sc.Activity AS activity_code,
    c.Description AS activity,
    c.CGroup AS activity_category,
    sc.SchStatus_Hist_SD AS status,
    sc.Notes AS note
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
ORDER BY sc.Sch_Id, COALESCE(c.Deleted, 0), COALESCE(c.Status_Inactive, 0), c.PRS_ID
