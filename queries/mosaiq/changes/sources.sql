-- sources: whether anything changed in the tables that other queries read: a row for each table.
-- parameters:
-- columns:
--   source                       the table's name
--   row_count                    count
--   newest_key                   the largest number, where the table numbers its rows; else 0
--   newest_edit                  local time; null where the table has none that is known
--   content                      a checksum of what is read of it, where it has no time of editing; else 0
-- sources: Patient, Ident, Notes, Staff, Site, TxField, SiteSetup, Offset, Chklist, QCLTask, Dose_Hst,
--   Schedule, PatCPlan, Admin, Prompt, CPT, Medical, Topog
-- traps:
--   A query of which every source stands here is not asked again while they all stay the same; full_at asks it once a
--   night all the same. A table that is not listed is read with its query in every cycle.
--   Edit_DtTm is read as the time of the newest edit. That MOSAIQ sets it at each is inferred from its name.
--   BINARY_CHECKSUM is no proof: two texts may have the same. The night finds what it hides.
--   Not listed are tables of millions of rows without a known time of editing: TxFieldPoint, DCMInstance, PatTxCal,
--   PatCItem, FLD_HST, TxFieldPoint_Hst, and those of files. What reads them is read whole, or by day.
SELECT
    'Patient' AS source, COUNT(*) AS row_count, MAX(t.Pat_ID1) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Patient t
UNION ALL
SELECT
    'Ident' AS source, COUNT(*) AS row_count, MAX(t.IDENT_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Ident t
UNION ALL
SELECT
    'Notes' AS source, COUNT(*) AS row_count, MAX(t.Note_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Notes t
UNION ALL
SELECT
    'Staff' AS source, COUNT(*) AS row_count, MAX(t.Staff_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Staff t
UNION ALL
SELECT
    'Site' AS source, COUNT(*) AS row_count, MAX(t.SIT_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Site t
UNION ALL
SELECT
    'TxField' AS source, COUNT(*) AS row_count, MAX(t.FLD_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM TxField t
UNION ALL
SELECT
    'SiteSetup' AS source, COUNT(*) AS row_count, MAX(t.SIS_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM SiteSetup t
UNION ALL
SELECT
    'Offset' AS source, COUNT(*) AS row_count, MAX(t.OFF_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM [Offset] t
UNION ALL
SELECT
    'Chklist' AS source, COUNT(*) AS row_count, MAX(t.Chk_id) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Chklist t
UNION ALL
SELECT
    'QCLTask' AS source, COUNT(*) AS row_count, MAX(t.TSK_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM QCLTask t
UNION ALL
SELECT
    'Dose_Hst' AS source, COUNT(*) AS row_count, MAX(t.DHS_ID) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Dose_Hst t
UNION ALL
SELECT
    'Schedule' AS source, COUNT(*) AS row_count, MAX(t.Sch_Id) AS newest_key,
    MAX(COALESCE(t.Edit_DtTm, t.Create_DtTm)) AS newest_edit, 0 AS content
FROM Schedule t
UNION ALL
SELECT
    'PatCPlan' AS source, COUNT(*) AS row_count, MAX(t.PCP_ID) AS newest_key,
    MAX(t.Edit_DtTm) AS newest_edit, 0 AS content
FROM PatCPlan t
UNION ALL
SELECT
    'Admin' AS source, COUNT(*) AS row_count, MAX(t.Pat_ID1) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.Pat_ID1, t.Gender, t.Pat_Home_Phone, t.Pat_CellPhone, t.Pat_Work_Phone,
        t.Pat_Work_Phone_Ex, t.Pat_EMail, t.Language_Spoken_Pro_ID, t.Pat_Adr1, t.Pat_Adr2, t.Pat_Postal,
        t.Pat_City, t.Pat_County, t.Pat_State, t.Pat_Country, t.Expired_DtTm, t.IsInPatient, t.Nurse_Unit,
        t.Attending_Md_Id, t.Ref_Md_ID, t.Pri_Md_ID)) AS content
FROM Admin t
UNION ALL
SELECT
    'Prompt' AS source, COUNT(*) AS row_count, MAX(t.Pro_ID) AS newest_key,
    NULL AS newest_edit, CHECKSUM_AGG(BINARY_CHECKSUM(t.Pro_ID, t.Enum, t.PGroup, t.Text)) AS content
FROM Prompt t
UNION ALL
SELECT
    'CPT' AS source, COUNT(*) AS row_count, MAX(t.PRS_ID) AS newest_key,
    NULL AS newest_edit,
    CHECKSUM_AGG(BINARY_CHECKSUM(t.PRS_ID, t.Hsp_Code, t.Description, t.CGroup, t.Deleted, t.Status_Inactive)) AS
        content
FROM CPT t
UNION ALL
SELECT
    'Medical' AS source, COUNT(*) AS row_count, MAX(t.MED_ID) AS newest_key,
    NULL AS newest_edit, CHECKSUM_AGG(BINARY_CHECKSUM(t.MED_ID, t.TPG_ID)) AS content
FROM Medical t
UNION ALL
SELECT
    'Topog' AS source, COUNT(*) AS row_count, MAX(t.TPG_ID) AS newest_key,
    NULL AS newest_edit, CHECKSUM_AGG(BINARY_CHECKSUM(t.TPG_ID, t.Diag_Code, t.Description)) AS content
FROM Topog t
