-- calendar: how many sessions of a plan are in the calendar, and how many are left: a further count of what remains.
-- parameters:
-- columns:
--   sop_instance_uid             UID of the RT Plan (TxField.OriginalPlanUID)
--   patient_id                   text
--   sessions_planned, sessions_remaining   count
-- sources: TxField, Ident, PatTxCal, PatCItem
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   A session (PatCItem) is a plan's when one of its treatment fields is scheduled in it (PatTxCal). It is left over
--   unless it, or all that is scheduled of the plan in it, is VOID (1) or COMPLETE (3). Pre-treatment items are none.
--   A plan that stands in no session has no row: that is no count of 0.
SELECT
    RTRIM(f.OriginalPlanUID) AS sop_instance_uid,
    i.IDA AS patient_id,
    COUNT(DISTINCT ci.PCI_ID) AS sessions_planned,
    COUNT(DISTINCT CASE
        WHEN COALESCE(ci.Status_Enum, 0) NOT IN (1, 3) AND COALESCE(tc.Status_enum, 0) NOT IN (1, 3) THEN ci.PCI_ID
    END) AS sessions_remaining
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
JOIN PatTxCal tc ON tc.FLD_Set_ID = f.FLD_SET_ID
JOIN PatCItem ci ON ci.PCI_ID = tc.PCI_ID
WHERE f.Version = 0
    AND RTRIM(f.OriginalPlanUID) <> ''
    AND COALESCE(f.Type_Enum, 0) NOT IN (3, 4, 5, 6, 9)
    AND COALESCE(ci.IsPreTreat, 0) = 0
GROUP BY RTRIM(f.OriginalPlanUID), i.IDA
ORDER BY RTRIM(f.OriginalPlanUID), i.IDA
