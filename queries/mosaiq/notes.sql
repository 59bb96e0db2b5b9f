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
--   Note_Type is translated by Prompt, but only by its group #NT1: other groups use the same numbers.
--   Ident.Version 0 is the tip. Notes of no patient are left out.
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
JOIN Ident i ON i.Pat_Id1 = n.Pat_ID1 AND i.Version = 0
LEFT JOIN Prompt nt ON nt.Enum = n.Note_Type AND nt.PGroup = '#NT1'
LEFT JOIN Staff st ON st.Staff_ID = n.Create_ID
WHERE COALESCE(n.Edit_DtTm, n.Create_DtTm) >= ?
ORDER BY n.Note_ID, nt.Pro_ID
