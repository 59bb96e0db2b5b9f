-- patients: who they are, how to reach them, what to beware of.
-- parameters: today, since, since, since
-- columns:
--   patient_serial                        ARIA's own number of the patient
--   patient_id, other_patient_id          text
--   family_name, given_name               text, as spelled in ARIA
--   patient_birth_date                    date
--   sex                                   ARIA's word, translated in aria/tables.py
--   phone_home, phone_mobile, phone_work  text
--   language, special_needs               text
--   address_line_1, address_line_2, address_line_3, postal_code, city, state, country, email
--                                         of one address; the primary one comes first
--   died_at, died_at_by_emr, alive        dates of death of ARIA's two halves; alive is N where the EMR half says dead
--   medical_alerts, contrast_allergies, pregnancy_status   text
--   allergy, allergy_comment              one of the EMR half's
--   device, device_model, device_mri_safety   one implanted device, such as a pacemaker
--   contact_family_name, contact_given_name, contact_relationship,
--   contact_phone_home, contact_phone_mobile, contact_phone_work   one contact
--   transport_name, transport_phone, transport_comment             one means of transport
-- sources: Patient, PatientParticular, PatientAddress, Address, PointOfContact, PatientTransportation, pt,
--   pt_allergy, implantable_device, ScheduledActivity, TreatmentRecord, Course, PlanSetup
-- traps:
--   One patient gives several rows, one for each address, contact, allergy and device together: aria/tables.py
--   makes one of them.
--   `$` patients are not dropped here: [dashboard] exclude_patient_ids decides, and what it excludes is counted.
--   ARIA never forgets patients: only who is booked, planned or treated since then comes.
--   An address whose TerminationDate has passed is where nobody lives any more: it does not come.
--   The lower-case tables are the EMR half, joined by pt.patient_ser; valid_entry 'N' is an entry made in error.
SELECT
    p.PatientSer AS patient_serial,
    p.PatientId AS patient_id,
    p.PatientId2 AS other_patient_id,
    p.LastName AS family_name,
    p.FirstName AS given_name,
    p.DateOfBirth AS patient_birth_date,
    p.Sex AS sex,
    p.HomePhone AS phone_home,
    p.MobilePhone AS phone_mobile,
    p.WorkPhone AS phone_work,
    p.Language AS language,
    p.SpecialNeeds AS special_needs,
    a.AddressLine1 AS address_line_1,
    a.AddressLine2 AS address_line_2,
    a.AddressLine3 AS address_line_3,
    a.PostalCode AS postal_code,
    a.CityOrTownship AS city,
    a.StateOrProvince AS state,
    a.Country AS country,
    a.EMailAddress AS email,
    pp.DeathDate AS died_at,
    e.pt_dod AS died_at_by_emr,
    e.pt_alive_ind AS alive,
    pp.MedicalAlerts AS medical_alerts,
    pp.ContrastAllergies AS contrast_allergies,
    pp.PregnancyStatus AS pregnancy_status,
    al.agt_name AS allergy,
    al.allergy_cmt AS allergy_comment,
    de.gmdnpt_name AS device,
    de.vers_model_no AS device_model,
    de.mri_safety_status AS device_mri_safety,
    co.LastName AS contact_family_name,
    co.FirstName AS contact_given_name,
    co.Relationship AS contact_relationship,
    co.HomePhone AS contact_phone_home,
    co.MobilePhone AS contact_phone_mobile,
    co.WorkPhone AS contact_phone_work,
    tr.TransportationName AS transport_name,
    tr.TransportationPhone AS transport_phone,
    tr.TransportationComment AS transport_comment
FROM Patient p
LEFT JOIN PatientParticular pp ON pp.PatientSer = p.PatientSer
LEFT JOIN PatientAddress pa ON pa.PatientSer = p.PatientSer
LEFT JOIN Address a ON a.AddressSer = pa.AddressSer AND (a.TerminationDate IS NULL OR a.TerminationDate > ?)
LEFT JOIN PointOfContact co ON co.PatientSer = p.PatientSer
LEFT JOIN PatientTransportation tr ON tr.PatientSer = p.PatientSer
LEFT JOIN pt e ON e.patient_ser = p.PatientSer
LEFT JOIN pt_allergy al ON al.pt_id = e.pt_id AND COALESCE(al.valid_entry, 'Y') <> 'N'
LEFT JOIN implantable_device de ON de.pt_id = e.pt_id AND COALESCE(de.valid_entry, 'Y') <> 'N'
WHERE p.PatientSer IN (
        SELECT sa.PatientSer FROM ScheduledActivity sa WHERE sa.ScheduledStartTime >= ? AND sa.PatientSer IS NOT NULL
    )
    OR p.PatientSer IN (SELECT r.PatientSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
    OR p.PatientSer IN (
        SELECT c.PatientSer FROM Course c JOIN PlanSetup ps ON ps.CourseSer = c.CourseSer WHERE ps.StatusDate >= ?
    )
ORDER BY p.PatientSer, pa.PrimaryFlag DESC, pa.AddressSer, co.PrimaryFlag DESC, co.PointOfContactSer,
    tr.PrimaryFlag DESC, tr.PatientTransportationSer, al.allergy_id, de.id
