-- checks: who checked what: quality checklists, and approvals of prescriptions and fields.
-- parameters: since, since, since
-- columns:
--   check_source, check_number   together the check's key
--   patient_id                   text
--   kind                         `checklist`, `prescription approval` or `field approval`
--   sop_instance_uid             UID of the RT Plan; for a field only
--   is_complete                  not 0: done; null for an approval
--   checked_at                   local time; null while it is to do
--   checked_by_family_name, checked_by_given_name   text
--   subject, comment             text
-- sources: Chklist, QCLTask, Ident, Staff, Site, TxField
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Version 0 is the tip of Chklist, Site and TxField; Suppressed 1 is a withdrawn item of a checklist.
--   Items that are still to do come too: their due date counts for the window, their time is null.
--   That Chklist.Complete other than 0 means done is read from its name.
--   Approvals of older versions of a prescription or field are not read.
SELECT
    k.check_source AS check_source,
    k.check_number AS check_number,
    i.IDA AS patient_id,
    k.kind AS kind,
    k.sop_instance_uid AS sop_instance_uid,
    k.is_complete AS is_complete,
    k.checked_at AS checked_at,
    st.Last_Name AS checked_by_family_name,
    st.First_Name AS checked_by_given_name,
    k.subject AS subject,
    k.comment AS comment
FROM (
    SELECT
        'checklist' AS check_source, q.Chk_id AS check_number, q.Pat_ID1 AS patient_serial, 'checklist' AS kind,
        NULL AS sop_instance_uid, q.Complete AS is_complete, q.Act_DtTm AS checked_at, q.Com_Staff_ID AS staff_number,
        COALESCE(t.Description, q.Activity) AS subject, q.Notes AS comment
    FROM Chklist q
    LEFT JOIN QCLTask t ON t.TSK_ID = q.TSK_ID
    WHERE q.Version = 0 AND COALESCE(q.Suppressed, 0) = 0 AND COALESCE(q.Act_DtTm, q.Due_DtTm) >= ?
    UNION ALL
    SELECT
        'site' AS check_source, s.SIT_ID AS check_number, s.Pat_ID1 AS patient_serial,
        'prescription approval' AS kind, NULL AS sop_instance_uid, NULL AS is_complete, s.Sanct_DtTm AS checked_at,
        s.Sanct_Id AS staff_number, s.Site_Name AS subject, NULL AS comment
    FROM Site s
    WHERE s.Version = 0 AND s.Sanct_DtTm >= ?
    UNION ALL
    SELECT
        'field' AS check_source, f.FLD_ID AS check_number, f.Pat_ID1 AS patient_serial, 'field approval' AS kind,
        RTRIM(f.OriginalPlanUID) AS sop_instance_uid, NULL AS is_complete, f.Sanct_DtTm AS checked_at,
        f.Sanct_ID AS staff_number, f.Field_Name AS subject, NULL AS comment
    FROM TxField f
    WHERE f.Version = 0 AND f.Sanct_DtTm >= ?
) k
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
) i ON i.Pat_Id1 = k.patient_serial AND i.place = 1
LEFT JOIN Staff st ON st.Staff_ID = k.staff_number
ORDER BY k.check_source, k.check_number
