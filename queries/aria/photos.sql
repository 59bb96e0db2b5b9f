-- photos: the newest portrait of each patient who may be treated.
-- parameters: photo_type, photo_type, photo_type, photo_type, photos_since, photos_since, photos_since
-- columns:
--   patient_id                   text
--   taken_at                     local time at which the row was last changed: ARIA has no other time of a photo
--   picture                      the bytes of a picture file; what kind it is, photos.py finds from them
-- sources: Photo, FieldPhoto, Patient, ScheduledActivity, TreatmentRecord, Course, PlanSetup
-- traps:
--   PhotoType is the site's own word. [rv.database] photo_type names the one that portraits have here; without it any
--   type is taken, and where a site keeps pictures of wounds or of setups in Photo, the newest of these may come.
--   Look at SELECT PhotoType, COUNT(*) FROM Photo GROUP BY PhotoType before you go live.
--   Photos that FieldPhoto names are of a field's setup, not of a face: they never come.
--   A picture that is NULL is none: the one before it comes. Of two of one moment, the one that was added last.
--   The newest is looked for in one pass over Photo: its column PatientSer may have no index.
--   Photo.Thumbnail is not read: its size and kind are not public. pt_pic of the EMR half is not read either.
--   Pictures are large, and every new snapshot carries them to the RT-PACS: only who was booked, planned or treated
--   since photos_since comes, which is less far back than patients.sql looks.
SELECT
    p.PatientId AS patient_id,
    ph.HstryDateTime AS taken_at,
    ph.Picture AS picture
FROM Photo ph
JOIN Patient p ON p.PatientSer = ph.PatientSer
WHERE ph.PhotoSer IN (
        SELECT MAX(CASE WHEN newest.taken_at = l.HstryDateTime THEN l.PhotoSer ELSE 0 END)
        FROM Photo l
        LEFT JOIN (
            SELECT n.PatientSer, MAX(n.HstryDateTime) AS taken_at
            FROM Photo n
            WHERE n.Picture IS NOT NULL
                AND (? = '' OR n.PhotoType = ?)
                AND n.PhotoSer NOT IN (SELECT fn.PhotoSer FROM FieldPhoto fn)
            GROUP BY n.PatientSer
        ) newest ON newest.PatientSer = l.PatientSer
        WHERE l.Picture IS NOT NULL
            AND (? = '' OR l.PhotoType = ?)
            AND l.PhotoSer NOT IN (SELECT fl.PhotoSer FROM FieldPhoto fl)
        GROUP BY l.PatientSer
    )
    AND (
        p.PatientSer IN (
            SELECT sa.PatientSer
            FROM ScheduledActivity sa
            WHERE sa.ScheduledStartTime >= ? AND sa.PatientSer IS NOT NULL
        )
        OR p.PatientSer IN (SELECT r.PatientSer FROM TreatmentRecord r WHERE r.TreatmentRecordDateTime >= ?)
        OR p.PatientSer IN (
            SELECT c.PatientSer FROM Course c JOIN PlanSetup ps ON ps.CourseSer = c.CourseSer WHERE ps.StatusDate >= ?
        )
    )
ORDER BY p.PatientSer
