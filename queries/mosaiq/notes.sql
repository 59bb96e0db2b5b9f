-- notes: what people wrote down about a patient.
-- parameters: since
-- columns:
--   note_id                      Note_ID
--   patient_id                   text
--   written_at                   local time; of the last edit where there was one
--   written_by_family_name, written_by_given_name   text, of who created it
--   kind, subject, note          text
-- sources: Notes, Ident, Prompt, Staff
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Note_Type is translated by Prompt, but only by its group #NT1: other groups use the same numbers.
--   Notes of no patient are left out.
SELECT
    n.Note_ID AS note_id,
    i.IDA AS patient_id,
    COALESCE(n.Edit_DtTm, n.Create_DtTm) AS written_at,
    st.Last_Name AS written_by_family_name,
    st.First_Name AS written_by_given_name,
    nt.Text AS kind,
    n.Subject AS subject,
    n.notes AS note
FROM Notes n
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
) i ON i.Pat_Id1 = n.Pat_ID1 AND i.place = 1
LEFT JOIN Prompt nt ON nt.Enum = n.Note_Type AND nt.PGroup = '#NT1'
LEFT JOIN Staff st ON st.Staff_ID = n.Create_ID
WHERE COALESCE(n.Edit_DtTm, n.Create_DtTm) >= ?
ORDER BY n.Note_ID, nt.Pro_ID
