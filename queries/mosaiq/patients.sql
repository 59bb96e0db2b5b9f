-- patients: who they are, how to reach them, what to beware of.
-- parameters: since, since, since
-- columns:
--   patient_serial                        MOSAIQ's own number of the patient (Pat_ID1)
--   patient_id                            text (IDA)
--   retired_id                            text, another tip of Ident's IDA
--   other_id_b, other_id_c, other_id_d, other_id_e, other_id_f   text (IDB to IDF)
--   family_name, given_name               text, as spelled in MOSAIQ
--   patient_birth_date                    date
--   sex                                   MOSAIQ's word, translated in mosaiq/words.py
--   phone_home, phone_mobile, phone_work, phone_work_extension   text
--   email, language                       text
--   address_line_1, address_line_2, postal_code, city, county, state, country   text
--   died_at                               date of death
--   is_in_patient, ward                   0 or 1, and text
--   alert_subject, alert_note             one note whose type is an alert
-- sources: Ident, Patient, Admin, Prompt, Notes, Schedule, Dose_Hst, TxField
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last. The others come as `retired_id`.
--   A patient who was merged into another (Patient.Inactive, Ident.Status_Inactive) and bears the number of one who
--   was not, is left out: the one who stands has it.
--   IDA is text and may hold letters (`00017R`); CHAR columns are padded.
--   Test patients have no mark: none is dropped here, [dashboard] exclude_patient_ids decides and what it excludes
--   is counted.
--   Alerts are the notes whose type (Prompt, group #NT1) says `alert`, in English as MOSAIQ comes. Where a clinic
--   calls them otherwise they are in `notes`, with their kind. The columns of PatAlert, which MOSAIQ has since 2.5,
--   are not public: it is not read, and pacemakers or allergies kept there only do not come.
--   Emergency contacts and transport are not in the public schema: null. One patient gives a row for each alert.
SELECT
    i.Pat_Id1 AS patient_serial,
    i.IDA AS patient_id,
    rt.IDA AS retired_id,
    i.IDB AS other_id_b,
    i.IDC AS other_id_c,
    i.IDD AS other_id_d,
    i.IDE AS other_id_e,
    i.IDF AS other_id_f,
    p.Last_Name AS family_name,
    p.First_Name AS given_name,
    p.Birth_DtTm AS patient_birth_date,
    a.Gender AS sex,
    a.Pat_Home_Phone AS phone_home,
    a.Pat_CellPhone AS phone_mobile,
    a.Pat_Work_Phone AS phone_work,
    a.Pat_Work_Phone_Ex AS phone_work_extension,
    a.Pat_EMail AS email,
    la.Text AS language,
    a.Pat_Adr1 AS address_line_1,
    a.Pat_Adr2 AS address_line_2,
    a.Pat_Postal AS postal_code,
    a.Pat_City AS city,
    a.Pat_County AS county,
    a.Pat_State AS state,
    a.Pat_Country AS country,
    a.Expired_DtTm AS died_at,
    a.IsInPatient AS is_in_patient,
    a.Nurse_Unit AS ward,
    al.alert_subject AS alert_subject,
    al.alert_note AS alert_note
FROM (
    SELECT
        nr.Pat_Id1 AS Pat_Id1, nr.IDA AS IDA, nr.Status_Inactive AS Status_Inactive, nr.IDENT_ID AS IDENT_ID,
        nr.IDB AS IDB, nr.IDC AS IDC, nr.IDD AS IDD, nr.IDE AS IDE, nr.IDF AS IDF,
        ROW_NUMBER() OVER (
            PARTITION BY nr.Pat_Id1
            ORDER BY
                CASE WHEN COALESCE(RTRIM(nr.IDA), '') = '' THEN 1 ELSE 0 END,
                COALESCE(nr.Status_Inactive, 0), nr.IDENT_ID DESC
        ) AS place
    FROM Ident nr
    WHERE nr.Version = 0
) i
JOIN Patient p ON p.Pat_ID1 = i.Pat_Id1
LEFT JOIN Ident rt ON rt.Pat_Id1 = i.Pat_Id1 AND rt.Version = 0 AND rt.IDENT_ID <> i.IDENT_ID
LEFT JOIN Admin a ON a.Pat_ID1 = i.Pat_Id1
LEFT JOIN Prompt la ON la.Pro_ID = a.Language_Spoken_Pro_ID
LEFT JOIN (
    SELECT n.Pat_ID1 AS patient_serial, n.Note_ID AS note_number, n.Subject AS alert_subject, n.notes AS alert_note
    FROM Notes n
    JOIN Prompt nt ON nt.Enum = n.Note_Type AND nt.PGroup = '#NT1'
    WHERE UPPER(nt.Text) LIKE '%ALERT%'
) al ON al.patient_serial = i.Pat_Id1
WHERE i.place = 1
    AND NOT (
        (COALESCE(i.Status_Inactive, 0) = 1 OR COALESCE(p.Inactive, 0) = 1)
        AND EXISTS (
            SELECT 1 FROM Ident so JOIN Patient sp ON sp.Pat_ID1 = so.Pat_Id1
            WHERE so.IDA = i.IDA AND so.Version = 0 AND so.Pat_Id1 <> i.Pat_Id1
                AND COALESCE(so.Status_Inactive, 0) = 0 AND COALESCE(sp.Inactive, 0) = 0
        )
    )
    AND (
        i.Pat_Id1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
        OR i.Pat_Id1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
        OR i.Pat_Id1 IN (
            SELECT f.Pat_ID1 FROM TxField f WHERE COALESCE(f.Edit_DtTm, f.Create_DtTm) >= ? AND f.Pat_ID1 IS NOT NULL
        )
    )
ORDER BY i.Pat_Id1, al.note_number, rt.IDENT_ID DESC
