-- prescriptions: what was ordered.
-- parameters: since, since, since
-- columns:
--   patient_id                   text
--   prescription_id              SIT_SET_ID: the same for all versions of a prescription
--   prescription_name            Site_Name, which names the treated site too
--   course_number, course_serial   of the course, see courses
--   intent, technique, target, notes   text; technique is often null
--   dose_per_fraction, total_dose   cGy
--   number_of_fractions          count
--   fraction_pattern             as typed
--   follows_prescription_id      SIT_SET_ID that this one waits for; 0 or null without
--   follows_fraction, follows_offset   the fraction of that one after which it starts, and an offset in fractions
--   bolus                        of one field
--   gating                       0 or 1, of one field
--   status                       MOSAIQ's number, translated in mosaiq/words.py
--   created_by_family_name, created_by_given_name   text
--   created_at                   local time
-- sources: Site, Ident, PatCPlan, TxField, Staff, Schedule, Dose_Hst
-- traps:
--   A patient has one number here: of the tips of Ident (Version 0) one that is not retired (Status_Inactive), the
--   newest; a retired one where there is no other, a blank one last.
--   Site.Version 0 is the tip; SIT_SET_ID groups the versions.
--   Dose_Tx and Dose_Ttl are cGy (with IsDoseInCcGE cGy of RBE-weighted dose): mosaiq/tables.py makes Gy of them.
--   Void, closed and pending prescriptions come too, and say so in `status`. Technique is null for many: no filter.
--   A boost is linked by Reference_SIT_Set_ID (the name and its use in public code).
--   One prescription gives a row for each of its fields: mosaiq/tables.py makes one of them.
--   Laterality is not in the public schema: mosaiq/tables.py reads it in the site's words.
SELECT
    i.IDA AS patient_id,
    s.SIT_SET_ID AS prescription_id,
    s.Site_Name AS prescription_name,
    pc.Course AS course_number,
    pc.PCP_ID AS course_serial,
    pc.Tx_Intent AS intent,
    s.Technique AS technique,
    s.Target AS target,
    s.Notes AS notes,
    s.Dose_Tx AS dose_per_fraction,
    s.Dose_Ttl AS total_dose,
    s.Fractions AS number_of_fractions,
    s.Frac_Pattern AS fraction_pattern,
    s.Reference_SIT_Set_ID AS follows_prescription_id,
    s.Reference_Fraction AS follows_fraction,
    s.Reference_Fx_Offset AS follows_offset,
    f.Bolus AS bolus,
    f.Respiration_Gating_Flag AS gating,
    s.Status_Enum AS status,
    st.Last_Name AS created_by_family_name,
    st.First_Name AS created_by_given_name,
    s.Create_DtTm AS created_at
FROM Site s
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
) i ON i.Pat_Id1 = s.Pat_ID1 AND i.place = 1
LEFT JOIN PatCPlan pc ON pc.PCP_ID = s.PCP_ID
LEFT JOIN TxField f ON f.SIT_Set_ID = s.SIT_SET_ID AND f.Version = 0 AND COALESCE(f.IsHidden, 0) = 0
LEFT JOIN Staff st ON st.Staff_ID = s.Create_ID
WHERE s.Version = 0
    AND (
        s.Pat_ID1 IN (SELECT sc.Pat_ID1 FROM Schedule sc WHERE sc.App_DtTm >= ? AND sc.Pat_ID1 IS NOT NULL)
        OR s.Pat_ID1 IN (SELECT dh.Pat_ID1 FROM Dose_Hst dh WHERE dh.Tx_DtTm >= ? AND dh.Pat_ID1 IS NOT NULL)
        OR s.Pat_ID1 IN (
            SELECT e.Pat_ID1 FROM TxField e WHERE COALESCE(e.Edit_DtTm, e.Create_DtTm) >= ? AND e.Pat_ID1 IS NOT NULL
        )
    )
ORDER BY s.SIT_SET_ID, f.DisplaySequence, f.FLD_ID
