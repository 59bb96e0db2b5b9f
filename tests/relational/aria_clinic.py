"""One made-up clinic in ARIA's tables: eight patients, each with a pathology."""

from __future__ import annotations

from datetime import timedelta

from tests.photos import BLUE, GREEN, RED, picture
from tests.relational.aria import TODAY, Aria

LONG_NOTE = "Lagerung; " * 400
"""4,000 characters."""

DATABASE = Aria


def fill(aria: Aria) -> None:
    """Anna is an ordinary patient with everything; the others are the exceptions."""
    truebeam = aria.machine("TrueBeam1 ")
    halcyon = aria.machine("Halcyon2")
    aria.insert("ActivityInstance", ActivityInstanceSer=1, ActivitySer=1)
    aria.insert("Activity", ActivitySer=1, ActivityCategorySer=1, ActivityCode="Bestrahlung")
    aria.insert("ActivityCategory", ActivityCategorySer=1, ActivityCategoryCode="Treatment")
    aria.insert("ConfigurationItem", ConfigurationSetSer=1, ConfigurationItemId="Dose", ConfigValue="Gy")
    anna = ordinary_patient(aria, truebeam)
    odd_patients(aria, halcyon)
    odd_plans(aria, anna, truebeam)
    odd_appointments(aria, anna, truebeam, halcyon)


def ordinary_patient(aria: Aria, machine: int) -> int:
    anna = aria.patient(
        "20240503", "Muster ", "Anna", PatientId2="AHV-756", HomePhone=" 041 1 ", MobilePhone="", Sex="Female"
    )
    particulars(aria, anna)
    emr_half(aria, anna)
    aria.physician(anna, "Green", "Gloria")
    aria.physician(anna, "Referrer", "Rita", oncologist=0)
    aria.physician(anna, "Deputy", "Dora", primary=0)
    course = aria.course(anna)
    aria.insert("PhysicianIntent", PhysicianIntentSer=1, CourseSer=course, TreatmentIntentType="Curative")
    aria.insert("CourseDiagnosis", CourseSer=course, DiagnosisSer=77)
    aria.insert("Diagnosis", DiagnosisSer=77, PatientSer=anna, DiagnosisCode="C50.4", Description="Breast, upper outer")
    boost = aria.prescription(course, ("PTV70", "7000", "200", "cGy"), ("PTV56", "5600", "160", "cGy"))
    aria.prescription(course, ("PTV50", "50,0", "2", "Gy"), PredecessorPrescriptionSer=boost, Notes=LONG_NOTE[:1024])
    plan = aria.plan(course, "1.2.3", PrescriptionSer=boost, FractionPattern="1111100", FractionPatternDigitsPerDay=1)
    treated = aria.field(plan, machine, 1)
    setup = aria.field(plan, machine, 2, is_setup=True)
    device = 88
    aria.insert(
        "DeliverySetupDevice", DeliverySetupDeviceSer=device, DeliverySetupDeviceId="Kneefix", DeviceType="FIXATION"
    )
    aria.insert("RadiationDeliverySetupDevice", RadiationSer=treated, DeliverySetupDeviceSer=device)
    records(aria, anna, machine, treated, setup)
    for point in (1, 2):
        aria.insert("vv_sy_DoseFiguresApp", PatientSer=anna, RTPlanSer=plan, RefPointSer=point, RunningPartial=1)
    remarks(aria, anna, plan)
    photos(aria, anna, treated)
    return anna


def photos(aria: Aria, anna: int, field: int) -> None:
    """Two portraits, the newer one with the lower number; newer than both one of the setup, and one without picture."""
    aria.photo(anna, picture(GREEN), TODAY - timedelta(days=3, hours=-9))
    aria.photo(anna, picture(RED), TODAY - timedelta(days=400))
    aria.photo(anna, picture(BLUE), TODAY - timedelta(days=2), field=field)
    aria.photo(anna, None, TODAY - timedelta(days=1))


def records(aria: Aria, anna: int, machine: int, treated: int, setup: int) -> None:
    """Three whole fractions, and a fourth that a fault stopped and that went on afterwards."""
    for fraction in range(1, 4):
        at = TODAY + timedelta(days=fraction - 10, hours=8)
        aria.delivery(anna, "1.2.3", treated, fraction, at, ActualMachineSer=machine)
    at = TODAY - timedelta(days=1)
    aria.delivery(anna, "1.2.3", treated, 4, at, ActualMeterset=60.0, TerminationStatus="MACHINE", BeamOffCode="DPSN")
    aria.delivery(
        anna, "1.2.3", treated, 4, at, ActualMeterset=63.4, TreatmentDeliveryType="CONTINUATION", OverrideFlag=1
    )
    aria.delivery(anna, "1.2.3", setup, 4, at, TreatmentDeliveryType="SETUP", ActualMeterset=None, PlannedMeterset=None)


def remarks(aria: Aria, anna: int, plan: int) -> None:
    aria.insert(
        "PatientNote", PatientNoteSer=1, PatientSer=anna, ObjectStatus="Active", Note="ruft an", DisplayDateTime=TODAY
    )
    aria.insert(
        "PatientNote", PatientNoteSer=2, PatientSer=anna, ObjectStatus="Deleted", Note="nie", DisplayDateTime=TODAY
    )
    aria.insert("ChartQA", ChartQASer=1, PatientSer=anna, ChartQADateTime=TODAY, ChartQABy="phys", Comment="in order")
    aria.insert(
        "Approval", ApprovalSer=1, TypeSer=plan, ApprovalType="PlanSetup", Status="PlanApproval", StatusDate=TODAY
    )


def particulars(aria: Aria, patient: int) -> None:
    aria.insert(
        "PatientParticular", PatientSer=patient, MedicalAlerts="Pacemaker", ContrastAllergies="", PregnancyStatus=None
    )
    for serial, primary, street in ((501, 0, "Old Lane 1"), (502, 1, "Main Street 5")):
        aria.insert("PatientAddress", PatientSer=patient, AddressSer=serial, PrimaryFlag=primary)
        aria.insert("Address", AddressSer=serial, AddressLine1=street, PostalCode="3000", CityOrTownship="Bern")
    aria.execute("UPDATE Address SET EMailAddress = 'anna@example.org' WHERE AddressSer = 501")
    aria.insert(
        "PointOfContact",
        PointOfContactSer=1,
        PatientSer=patient,
        LastName="Muster",
        FirstName="Beat",
        Relationship="Son",
        HomePhone="041 2",
    )
    aria.insert("PatientTransportation", PatientTransportationSer=1, PatientSer=patient, TransportationName="Taxi Blau")


def emr_half(aria: Aria, patient: int) -> None:
    aria.insert("pt", pt_id="EMR1", patient_ser=patient)
    for number, name, valid in ((1, "Penicillin", "Y"), (2, "Latex", "Y"), (3, "Mistake", "N")):
        aria.insert("pt_allergy", pt_id="EMR1", allergy_id=number, agt_name=name, valid_entry=valid)
    aria.insert("pt_dx", pt_id="EMR1", dx_id=5, diagnosis_ser=77)
    aria.insert("pt_dx_cncr", pt_id="EMR1", pt_dx_id=5, laterality_typ=2)
    aria.insert("laterality_typ", laterality_typ=2, laterality_desc="Left")
    aria.insert(
        "quick_note", pt_id="EMR1", quick_note_id=1, valid_entry_ind="Y", note_tstamp=TODAY, quick_note_text=LONG_NOTE
    )
    aria.insert("note_typ", note_typ=3, note_typ_desc="Consent")
    aria.insert(
        "visit_note",
        pt_id="EMR1",
        pt_visit_id=1,
        visit_note_id=1,
        note_tstamp=TODAY,
        note_typ=3,
        doc_file_loc="a1.pdf",
        appr_flag="A",
        valid_entry_ind="Y",
    )


def odd_patients(aria: Aria, machine: int) -> None:
    """Each is booked tomorrow, so that each is in the window."""
    tomorrow = TODAY + timedelta(days=1, hours=9)
    patients = [
        aria.patient("$QA01", "Phantom", "Cheese", DateOfBirth=None, Sex=None),
        aria.patient("00017R", 'O\'Neil "Bo", Jr.', "Zoë\nMarie", DateOfBirth="", Sex="Unknown"),
        aria.patient("4711      ", "山田", "太郎", DateOfBirth="1753-01-01 00:00:00", Sex="Male"),
        aria.patient("E7", "Emoji😀", None, DateOfBirth="9999-12-31 00:00:00", Sex="Other"),
    ]
    for patient in patients:
        aria.appointment(patient, tomorrow, machine)
    aria.patient("LONG_GONE", "Gone", "Long")


def odd_plans(aria: Aria, anna: int, machine: int) -> None:
    boost = aria.course(anna, "Boost 2 (odd, name)", StartDateTime=None)
    withdrawn = aria.plan(boost, "1.2.4", label="Boost, L", status="Unapproved")
    aria.insert("Approval", ApprovalSer=9, TypeSer=withdrawn, ApprovalType="PlanSetup", Status="TreatApproval")
    completed = aria.plan(boost, "1.2.5", label="Old", status="Completed", StatusUserName="System")
    history = ((0, "phys", "PlanApproval"), (1, "DrBlue", "TreatApproval"), (2, "System", "Completed"))
    for revision, user, status in history:
        aria.insert(
            "Approval",
            ApprovalSer=2 + revision,
            ApprovalRevCount=revision,
            TypeSer=completed,
            ApprovalType="PlanSetup",
            Status=status,
            StatusUserName=user,
            StatusDate=f"2026-10-0{1 + revision} 00:00:00",
        )
    aria.plan(boost, "1.2.6", label="New word", status="Frobnicated", NoFractions=None, PrescribedDose=None)
    aria.insert("vv_sy_DoseFiguresApp", PatientSer=anna, RTPlanSer=completed, RefPointSer=3, RunningPartial=1)
    long_ago = aria.plan(boost, "1.2.7", label="Long ago", StatusDate="2020-01-01 00:00:00")
    aria.field(long_ago, machine, 1)


def odd_appointments(aria: Aria, anna: int, truebeam: int, halcyon: int) -> None:
    tomorrow = TODAY + timedelta(days=1, hours=8)
    doctor = 9_999
    aria.appointment(anna, tomorrow, doctor, truebeam)
    aria.appointment(anna, tomorrow + timedelta(days=1), halcyon, ScheduledActivityCode="Cancelled - Patient No-Show")
    aria.appointment(anna, tomorrow + timedelta(days=2), truebeam, ObjectStatus="Deleted")
    moved = aria.appointment(anna, tomorrow + timedelta(days=3), truebeam)
    aria.execute(
        "INSERT INTO ScheduledActivity (ScheduledActivitySer, ScheduledActivityRevCount, PatientSer,"
        " ScheduledStartTime, ObjectStatus, ScheduledActivityCode)"
        " VALUES (?, 1, ?, '2026-11-30 10:00:00', 'Active', 'Open')",
        moved,
        anna,
    )
    aria.appointment(anna, tomorrow + timedelta(days=200), truebeam)
    aria.appointment(None, tomorrow, truebeam)
    aria.appointment(anna, TODAY + timedelta(days=5, hours=8), ScheduledActivityCode="Wartet")
