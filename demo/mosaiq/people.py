"""The people and the house in the simulated MOSAIQ: patients, staff (machines among them), words and codes.

How
    `write_house` once, `write_patient` for each patient. Numbers that were mended leave an older version of Ident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.aria.rows import day_stamp, stamp
from demo.clinic.courses import MACHINES
from demo.clinic.patients import PHYSICIANS
from demo.mosaiq.rows import MosaiqRows, padded

if TYPE_CHECKING:
    from demo.clinic.courses import ImageSet
    from demo.clinic.patients import ClinicPatient

ALERTS, GENERAL = 1, 2
"""Note_Type of an alert and of any other note."""
ROOM = "Consulting room 1"
_LANGUAGE = 100
_SCAN = 4
ACTIVITIES = {"BEAM": "Daily Treatment", "VISIT": "Weekly Visit", "SIM": "CT Simulation"}


def write_house(rows: MosaiqRows) -> None:
    """What exists before the first patient."""
    for machine in MACHINES.values():
        rows.add("Staff", Last_Name=padded(machine.name), Machine_Type=1, Type="Location")
    rows.add("Staff", Last_Name=padded(ROOM), Machine_Type=0, Type="Location")
    for physician in PHYSICIANS:
        rows.add("Staff", Last_Name=padded(physician.family), First_Name=physician.given, Type="MD")
    rows.add("Staff", Last_Name=padded("FAGOTT"), First_Name="Cello", Type="Physicist")
    for number, words in ((ALERTS, "Alerts"), (GENERAL, "General")):
        rows.add("Prompt", PGroup="#NT1", Enum=number, Text=words)
        rows.add("Prompt", PGroup="#OT1", Enum=number, Text="another group's word")
    for code, words in ACTIVITIES.items():
        rows.add("CPT", Hsp_Code=code.ljust(10), Description=f"{words} (old)", CGroup="RT", Deleted=1)
        rows.add("CPT", Hsp_Code=code.ljust(10), Description=words, Short_Desc=code, CGroup="RT", Deleted=0)
    rows.add("QCLTask", Description="Weekly chart check")


def write_patient(rows: MosaiqRows, patient: ClinicPatient, images: ImageSet) -> None:
    """A patient with address, physician and notes. What is not known is NULL or blank."""
    home, mobile, work = patient.phones
    serial = rows.add(
        "Patient", Last_Name=patient.family, First_Name=patient.given, Birth_DtTm=day_stamp(patient.birth_date),
        Create_DtTm=stamp(images.taken_at),
    )  # fmt: skip
    if patient.number % 9 == 2:  # the number was mended once
        rows.add("Ident", Pat_Id1=serial, IDA=f"TMP{serial}", Version=1)
    rows.add("Ident", Pat_Id1=serial, IDA=patient.patient_id, Version=0)
    physician = rows.key("Staff", "Staff_ID", Last_Name=padded(patient.physician.family))
    rows.add(
        "Admin", Pat_ID1=serial, Gender={"M": "Male", "F": "Female"}.get(patient.sex, ""), Attending_Md_Id=physician,
        Pat_Home_Phone=home or "   ", Pat_CellPhone=mobile or None, Pat_Work_Phone=work or None,
        Pat_EMail=patient.email or None, Pat_Adr1=patient.address[0], Pat_City=patient.address[1],
        Pat_Postal=patient.address[2], Language_Spoken_Pro_ID=_language(rows, patient.language), IsInPatient=0,
    )  # fmt: skip
    for kind, words in ((ALERTS, patient.alerts), (GENERAL, patient.note)):
        if words:
            rows.add("Notes", Note_Type=kind, Pat_ID1=serial, notes=words, Create_DtTm=stamp(images.taken_at))
    consent, _ = rows.versions("Object", "OBJ_SET_ID", {}, Pat_ID1=serial, DocType="Consent", File_Format=_SCAN)
    for page in (1, 2):
        rows.add("ObjFilenames", OBJ_ID=consent, eSCANFilename=f"consent{serial}-{page}.tif", PageNumber=page)


def _language(rows: MosaiqRows, name: str) -> int:
    known = rows.connection.execute("SELECT Pro_ID FROM Prompt WHERE PGroup = 'LANG' AND Text = ?", (name,)).fetchone()
    return int(known[0]) if known else rows.add("Prompt", PGroup="LANG", Enum=_LANGUAGE, Text=name)
