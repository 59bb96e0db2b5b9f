-- documents: where the clinic's documents of a patient lie.
-- parameters: since
-- columns:
--   document_owner, document_visit, document_number   together the document's key
--   patient_id                   text
--   written_at                   local time
--   kind, location               text; the location is relative to the clinic's document share
--   approval_flag                ARIA's letter, translated in aria/tables.py
-- sources: visit_note, note_typ, pt, Patient
-- traps:
--   Since v15 the files lie in folders by quarter (such as 2026Q4) below the share: the location names the file only.
--   valid_entry_ind 'N' was made in error: it does not come.
SELECT
    v.pt_id AS document_owner,
    v.pt_visit_id AS document_visit,
    v.visit_note_id AS document_number,
    p.PatientId AS patient_id,
    v.note_tstamp AS written_at,
    nt.note_typ_desc AS kind,
    v.doc_file_loc AS location,
    v.appr_flag AS approval_flag
FROM visit_note v
JOIN pt e ON e.pt_id = v.pt_id
JOIN Patient p ON p.PatientSer = e.patient_ser
LEFT JOIN note_typ nt ON nt.note_typ = v.note_typ
WHERE v.note_tstamp >= ? AND COALESCE(v.valid_entry_ind, 'Y') <> 'N' AND v.doc_file_loc IS NOT NULL
ORDER BY v.pt_id, v.pt_visit_id, v.visit_note_id
