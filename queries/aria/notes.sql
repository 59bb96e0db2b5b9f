-- notes: what people wrote down about a patient.
-- parameters: since, since
-- columns:
--   note_source                  `patient` or `quick`: the two kinds are numbered apart
--   note_owner, note_number      together with note_source the note's key; the owner is null for `patient`
--   patient_id                   text
--   written_at                   local time
--   written_by, kind, note       text
-- sources: PatientNote, Patient, quick_note, quick_note_typ, pt
-- traps:
--   Two halves of ARIA keep notes; the EMR's are keyed by pt_id and a number of its own.
--   PatientNote.ObjectStatus other than Active is deleted; quick_note.valid_entry_ind 'N' was made in error.
SELECT
    n.note_source AS note_source,
    n.note_owner AS note_owner,
    n.note_number AS note_number,
    n.patient_id AS patient_id,
    n.written_at AS written_at,
    n.written_by AS written_by,
    n.kind AS kind,
    n.note AS note
FROM (
    SELECT
        'patient' AS note_source, NULL AS note_owner, pn.PatientNoteSer AS note_number,
        p.PatientId AS patient_id, pn.DisplayDateTime AS written_at, pn.WrittenByAppUserName AS written_by,
        pn.PatientNoteCode AS kind, pn.Note AS note
    FROM PatientNote pn
    JOIN Patient p ON p.PatientSer = pn.PatientSer
    WHERE pn.ObjectStatus = 'Active' AND pn.DisplayDateTime >= ?
    UNION ALL
    SELECT
        'quick' AS note_source, q.pt_id AS note_owner, q.quick_note_id AS note_number,
        p.PatientId AS patient_id, q.note_tstamp AS written_at, q.author_userid AS written_by,
        qt.quick_note_desc AS kind, q.quick_note_text AS note
    FROM quick_note q
    JOIN pt e ON e.pt_id = q.pt_id
    JOIN Patient p ON p.PatientSer = e.patient_ser
    LEFT JOIN quick_note_typ qt ON qt.quick_note_typ = q.quick_note_typ
    WHERE q.valid_entry_ind <> 'N' AND q.note_tstamp >= ?
) n
ORDER BY n.note_source, n.note_owner, n.note_number
