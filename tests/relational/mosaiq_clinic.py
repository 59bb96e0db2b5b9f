"""The made-up clinic in MOSAIQ's tables: the people of `aria_clinic`, and what only MOSAIQ trips programs with."""

from __future__ import annotations

from datetime import timedelta

from tests.relational.aria import TODAY
from tests.relational.aria_clinic import LONG_NOTE
from tests.relational.mosaiq import LONG_AGO, OLDER, Mosaiq

TOMORROW = TODAY + timedelta(days=1, hours=8)

DATABASE = Mosaiq


def fill(mosaiq: Mosaiq) -> None:
    """Anna is an ordinary patient with everything; the others are the exceptions."""
    synergy = mosaiq.machine("Synergy1")
    mosaiq.insert("CPT", PRS_ID=1, Hsp_Code="BEAM", Description="Old words", CGroup="RT", Deleted=1)
    mosaiq.insert("CPT", PRS_ID=2, Hsp_Code="BEAM  ", Description="Bestrahlung", CGroup="RT", Deleted=0)
    for number, group, enum, words in (
        (1, "#NT1", 7, "Alerts"),
        (2, "#NT1", 8, "Telefon"),
        (3, "#XX1", 8, "Alert of another group"),
    ):
        mosaiq.insert("Prompt", Pro_ID=number, PGroup=group, Enum=enum, Text=words)
    mosaiq.insert("Prompt", Pro_ID=40, PGroup="LANG", Enum=1, Text="Deutsch")
    anna = ordinary_patient(mosaiq, synergy)
    odd_patients(mosaiq, synergy)
    odd_plans(mosaiq, anna, synergy)
    odd_appointments(mosaiq, anna, synergy)
    remarks(mosaiq, anna)


def ordinary_patient(mosaiq: Mosaiq, machine: int) -> int:
    green, referrer = mosaiq.staff("Green", "Gloria"), mosaiq.staff("Referrer", "Rita")
    anna = mosaiq.patient(
        *("20240503", "Muster ", "Anna"),
        IDB="AHV-756",
        Pat_Home_Phone=" 041 1 ",
        Pat_CellPhone="",
        Pat_EMail="anna@example.org",
        Pat_Adr1="Main Street 5",
        Pat_Postal="3000",
        Pat_City="Bern",
        Language_Spoken_Pro_ID=40,
        Attending_Md_Id=green,
        Ref_Md_ID=referrer,
        Pri_Md_ID=green,
        Pat_Work_Phone="041 3",
        Pat_Work_Phone_Ex="12",
        IsInPatient=1,
        Nurse_Unit="4W",
    )
    course = mosaiq.course(anna, 1, "C50.4", "Breast, upper outer")
    older, site = mosaiq.site(anna, course, "Breast L", Technique="VMAT", Target="PTV", Create_ID=green)
    mosaiq.setup(site, Structure_Set_UID="1.2.3.3", Frame_Of_Reference_UID="1.2.3.4", Off_Set_ID=501)
    mosaiq.insert("Offset", OFF_ID=901, OFF_Set_ID=501, Version=0, Offset_Type=1, Superior_Offset=1.5)
    mosaiq.insert("Offset", OFF_ID=902, OFF_Set_ID=501, Version=1, Offset_Type=1, Superior_Offset=9.9)
    mosaiq.plan(anna, "1.2.3", "Breast")
    treated = mosaiq.field(anna, site, "1.2.3", 1, machine, Sanct_ID=green, Bolus="5 mm")
    setup = mosaiq.field(anna, site, "1.2.3", 2, machine, Type_Enum=3, Sanct_DtTm=None, Meterset=None)
    mosaiq.field(
        anna, site, "1.2.3", None, machine, Type_Enum=6, Sanct_DtTm=None
    )  # a port that somebody added in MOSAIQ
    records(mosaiq, anna, machine, older, site, treated, setup)
    in_flight(mosaiq, anna, machine, treated, setup)
    return anna


def records(mosaiq: Mosaiq, anna: int, machine: int, older: int, site: int, treated: int, setup: int) -> None:
    """Three whole fractions and a fourth that ended early and went on; what treats nobody beside it."""
    for fraction in range(1, 4):
        at = TODAY + timedelta(days=fraction - 10, hours=8)
        mosaiq.delivery(anna, treated, older, fraction, at, Machine_ID_Staff_ID=machine)
    at = TODAY - timedelta(days=1)
    mosaiq.insert("PatTxCal", PTC_ID=77, IsPartial=1)
    mosaiq.delivery(
        *(anna, treated, older, 4, at),
        Meterset=60.0,
        PartiallyTreated=1,
        Termination_Status_Enum=3,
        TerminationCode="7",
    )
    mosaiq.delivery(anna, treated, older, 4, at + timedelta(minutes=9), Meterset=63.4, PTC_ID=77, WasOverridden=1)
    mosaiq.delivery(anna, setup, older, 4, at, Type_Enum=0, Meterset=None)
    mosaiq.delivery(anna, treated, older, 4, at, Type_Enum=6)
    mosaiq.delivery(anna, treated, older, 4, at, IsOpenPort=1)
    mosaiq.delivery(anna, treated, older, 0, at - timedelta(days=2), WasQAMode=1)
    mosaiq.shift(site, at - timedelta(minutes=20), 0.4)
    mosaiq.shift(site, at - timedelta(minutes=40), 0.9)
    mosaiq.shift(site, at - timedelta(minutes=5), 7.7, Offset_State=3)
    mosaiq.shift(site, at - timedelta(minutes=4), 7.8, Version=1)
    mosaiq.shift(site, at - timedelta(minutes=3), 7.9, Offset_Type=3)
    mosaiq.session(None, anna, treated, setup)


def in_flight(mosaiq: Mosaiq, anna: int, machine: int, treated: int, setup: int) -> None:
    now = TODAY + timedelta(hours=9)
    mosaiq.tracked(anna, treated, now, Machine_ID_Staff_ID=machine)
    for settled in ("WasRecorded", "WasQAMode", "WasResolved"):
        mosaiq.tracked(anna, treated, now, **{settled: 1})
    mosaiq.tracked(anna, treated, now, WasBeamOn=0)
    mosaiq.tracked(anna, setup, now)
    mosaiq.tracked(anna, treated, LONG_AGO)


def odd_patients(mosaiq: Mosaiq, machine: int) -> None:
    """Each is booked tomorrow, so that each is in the window."""
    patients = [
        mosaiq.patient("$QA01", "Phantom", "Cheese", Birth_DtTm=None, Gender=None),
        mosaiq.patient("00017R", 'O\'Neil "Bo", Jr.', "Zoë\nMarie", Birth_DtTm="", Gender="Unknown"),
        mosaiq.patient("4711      ", "山田", "太郎", Birth_DtTm="1753-01-01 00:00:00", Gender="Male"),
        mosaiq.patient("E7", "Emoji😀", None, Birth_DtTm="9999-12-31 00:00:00", Gender="Other"),
    ]
    for patient in patients:
        mosaiq.appointment(patient, TOMORROW + timedelta(hours=1), machine, "  ")
    mosaiq.patient("LONG_GONE", "Gone", "Long")


def odd_plans(mosaiq: Mosaiq, anna: int, machine: int) -> None:
    boost = mosaiq.course(anna, None, None, None)
    mosaiq.course(anna, 1, "C77.3", "Lymph nodes, axilla")
    _, first = mosaiq.site(anna, boost, "Boost, L", Technique=None, Reference_SIT_Set_ID=0)
    _, second = mosaiq.site(
        *(anna, boost, "Boost 2"), Reference_SIT_Set_ID=first, Reference_Fraction=25, Dose_Tx=180.0, Status_Enum=7
    )
    _, void = mosaiq.site(anna, boost, "Withdrawn", Status_Enum=1)
    _, unnumbered = mosaiq.site(anna, boost, "No number", Status_Enum=None)
    _, odd = mosaiq.site(anna, boost, "New number", Status_Enum=42, Fractions=None, Dose_Tx=None)
    mosaiq.field(anna, first, "1.2.4", 1, machine, Sanct_DtTm=None)
    mosaiq.field(anna, first, "1.2.4", 2, machine)
    mosaiq.field(anna, second, "1.2.5", 1, machine)
    mosaiq.field(anna, void, "1.2.6", 1, machine)
    mosaiq.field(anna, unnumbered, "1.2.7", 1, machine, Modality_Enum=2, Type_Enum=1)
    mosaiq.field(anna, odd, "1.2.8", 1, machine)
    mosaiq.field(anna, first, "1.2.9", 1, machine)
    mosaiq.field(anna, second, "1.2.9", 2, machine)
    mosaiq.field(anna, first, None, None, machine)
    mosaiq.field(anna, first, " ", 1, machine)
    mosaiq.field(anna, first, "1.2.3", 1, machine, IsHidden=1, Sanct_DtTm=None, Field_Name="hidden")
    gone = mosaiq.patient("LONG_AGO", "Ago", "Long")
    _, old = mosaiq.site(gone, None, "Old")
    mosaiq.field(gone, old, "1.2.10", 1, machine, Create_DtTm=LONG_AGO)


def odd_appointments(mosaiq: Mosaiq, anna: int, machine: int) -> None:
    room = mosaiq.staff("Room 3")
    mosaiq.appointment(anna, TOMORROW, machine, "S ", Notes="Blase voll")
    mosaiq.appointment(anna, TOMORROW + timedelta(days=1), machine, " X")
    mosaiq.appointment(anna, TOMORROW + timedelta(days=2), machine, "  ", Suppressed=1, Notes=OLDER)
    mosaiq.appointment(anna, TOMORROW + timedelta(days=3), machine, "  ", Version=1, Notes=OLDER)
    mosaiq.appointment(anna, TOMORROW + timedelta(days=4), room, "Q?", Activity="VISIT")
    mosaiq.appointment(anna, TODAY - timedelta(days=3), machine, "FC")
    mosaiq.appointment(anna, TODAY - timedelta(days=4), machine, " D")
    mosaiq.appointment(anna, TODAY - timedelta(days=5), machine, "O")
    mosaiq.appointment(anna, TOMORROW + timedelta(days=200), machine, "  ")
    mosaiq.appointment(None, TOMORROW, machine, "  ")


def remarks(mosaiq: Mosaiq, anna: int) -> None:
    nurse = mosaiq.staff("Nurse", "Nora")
    mosaiq.insert("Notes", Note_ID=1, Note_Type=8, Pat_ID1=anna, notes="ruft an", Create_DtTm=TODAY, Create_ID=nurse)
    mosaiq.insert("Notes", Note_ID=2, Note_Type=9, Pat_ID1=anna, notes=LONG_NOTE, Create_DtTm=TODAY)
    mosaiq.insert("Notes", Note_ID=3, Note_Type=7, Pat_ID1=anna, notes="Pacemaker", Create_DtTm=LONG_AGO)
    mosaiq.insert("Notes", Note_ID=4, Note_Type=7, Pat_ID1=anna, notes="Latex", Create_DtTm=LONG_AGO)
    mosaiq.insert("QCLTask", TSK_ID=5, Description="Weekly chart check")
    done = {"Pat_ID1": anna, "TSK_ID": 5, "Version": 0, "Suppressed": 0, "Com_Staff_ID": nurse}
    mosaiq.insert("Chklist", Chk_id=1, Act_DtTm=TODAY, Complete=1, Notes="in order", **done)
    mosaiq.insert("Chklist", Chk_id=2, Due_DtTm=TODAY, Complete=0, **done)
    mosaiq.insert("Chklist", Chk_id=3, Act_DtTm=TODAY, Complete=1, **done | {"Suppressed": 1, "Notes": OLDER})
    mosaiq.insert("Chklist", Chk_id=4, Act_DtTm=TODAY, Complete=1, **done | {"Version": 1, "Notes": OLDER})
    mosaiq.insert("Object", OBJ_ID=1, Pat_ID1=anna, Version=0, DocType="Consent", File_Format=4)
    mosaiq.insert("Object", OBJ_ID=2, Pat_ID1=anna, Version=1, DocType=OLDER, File_Format=4)
    for page in (2, 1):
        mosaiq.insert("ObjFilenames", OBJ_ID=1, eSCANFilename=f"a{page}.tif", PageNumber=page)
