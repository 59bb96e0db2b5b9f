"""The people and the house in the simulated ARIA: patients, physicians, machines, activities.

How
    `write_department` once, `write_patient` for each patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.aria.rows import Rows, day_stamp, stamp
from demo.clinic.courses import MACHINES
from demo.clinic.patients import PHYSICIANS
from demo.clinic.portraits import portrait_of

if TYPE_CHECKING:
    from demo.clinic.courses import ImageSet, LinearAccelerator
    from demo.clinic.patients import ClinicPatient

ENERGIES = (("PHOTON", 6, "6X"), ("PHOTON", 10, "10X"), ("PHOTON", 15, "15X"), ("ELECTRON", 6, "6E"),
            ("ELECTRON", 9, "9E"), ("ELECTRON", 12, "12E"))  # fmt: skip
TECHNIQUES = ("STATIC", "ARC", "SPOT")
ACTIVITIES = {"Daily Treatment": 15, "Weekly Visit": 15, "CT Simulation": 45}
SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.481.5": "RT Plan Storage",
    "1.2.840.10008.5.1.4.1.1.481.8": "RT Ion Plan Storage",
    "1.2.246.352.70.1.70": "Varian RT Plan Storage",
    "1.2.840.10008.5.1.4.1.1.481.4": "RT Beams Treatment Record Storage",
    "1.2.840.10008.5.1.4.1.1.481.9": "RT Ion Beams Treatment Record Storage",
}


def write_department(rows: Rows) -> None:
    """What exists before the first patient."""
    hospital = rows.add("Hospital", HospitalName="Demo clinic", HospitalLocation="Stonebridge", ObjectStatus="Active")
    department = rows.add(
        "Department", HospitalSer=hospital, DepartmentId="RT", DepartmentName="Radiotherapy", ObjectStatus="Active"
    )
    for machine in MACHINES.values():
        _write_machine(rows, machine)
    for physician in PHYSICIANS:
        rows.add(
            "Doctor", ResourceSer=_resource(rows, "Doctor", schedulable=True), DoctorId=f"D{physician.number}",
            Honorific="Dr.", FirstName=physician.given, LastName=physician.family, AliasName=physician.family,
            Specialty="Radiation Oncology", OncologistFlag=1, ExternalMedOncFlag=0,
        )  # fmt: skip
    rows.add("Tolerance", ToleranceId="T1", ToleranceName="Standard", ObjectStatus="Active")
    category = rows.add(
        "ActivityCategory", ActivityCategoryCode="Treatment", DepartmentSer=department, ObjectStatus="Active"
    )
    for code, minutes in ACTIVITIES.items():
        rows.add(
            "Activity", ActivityRevCount=1, ActivityCategorySer=category, ActivityCode=code,
            ActivityType="Appointment",
            ObjectStatus="Active", DefaultDuration=minutes, Description=code,
        )  # fmt: skip
    for sop_class_uid, name in SOP_CLASSES.items():
        rows.add("SOPClass", SOPClassUID=sop_class_uid, Name=name, Category="Storage")
    rows.add("ConfigurationItem", ConfigurationSetSer=1, ConfigurationItemId="Dose", ConfigValue="Gy")
    for number, side in enumerate(("Not applicable", "Left", "Right", "Bilateral")):
        rows.add("laterality_typ", laterality_typ=number, laterality_desc=side)
    rows.add("quick_note_typ", quick_note_typ=1, quick_note_desc="General", active_entry_ind="Y")


def _write_machine(rows: Rows, machine: LinearAccelerator) -> None:
    resource = _resource(rows, "Machine", schedulable=True)
    rows.add(
        "Machine", ResourceSer=resource, MachineId=machine.name, MachineName=machine.name,
        MachineType="RadiationDevice",
        MachineModel=machine.model, ManufacturerName=machine.manufacturer, MachineSerialNo=machine.serial_number,
        OperationStatus="IN_USE", MachineScale="IEC61217",
    )  # fmt: skip
    rows.add("RadiationDevice", ResourceSer=resource, RadiationDeviceType="ExternalBeam", CompletelyModelled=1)
    for technique in TECHNIQUES:
        rows.add("Technique", ResourceSer=resource, TechniqueId=technique, ObjectStatus="Active")
    for radiation, energy, code in ENERGIES:
        rows.add(
            "EnergyMode", ResourceSer=resource, RadiationType=radiation, Energy=energy * 1000, DisplayCode=code,
            ObjectStatus="Active",
        )  # fmt: skip


def _resource(rows: Rows, kind: str, *, schedulable: bool) -> int:
    return rows.add(
        "Resource", ResourceTypeNum=1 if kind == "Machine" else 2, ResourceType=kind, ObjectStatus="Active",
        SchedulableFlag=int(schedulable), MultiProtocolFlag=0,
    )  # fmt: skip


def write_patient(rows: Rows, patient: ClinicPatient, images: ImageSet) -> None:
    """A patient with address, contact, physician, notes and diagnosis. What is not known is NULL or blank."""
    home, mobile, work = patient.phones
    is_phantom = patient.patient_id.startswith("$")
    ser = rows.add(
        "Patient", PatientId=patient.patient_id, LastName=patient.family, FirstName=patient.given,
        PatientType="Phantom" if is_phantom else "Patient", CreationDate=stamp(images.taken_at),
        DateOfBirth=day_stamp(patient.birth_date), Sex={"M": "Male", "F": "Female"}.get(patient.sex, "Unknown"),
        HomePhone=home or "   ", MobilePhone=mobile or None, WorkPhone=work or None, Language=patient.language,
        ClinicalTrialFlag=0, PatientUID=images.study_instance_uid,
    )  # fmt: skip
    if (portrait := portrait_of(patient)) is not None:
        rows.add("Photo", PatientSer=ser, PhotoType="Portrait", Picture=portrait, HstryDateTime=stamp(images.taken_at))
    rows.add("PatientParticular", PatientSer=ser, MedicalAlerts=patient.alerts or None)
    address = rows.add(
        "Address", AddressType="Home", Country="", CityOrTownship=patient.address[1], AddressLine1=patient.address[0],
        PostalCode=patient.address[2], EMailAddress=patient.email or None, PhoneNumber1=home or None,
        OriginationDate=stamp(images.taken_at),
    )  # fmt: skip
    rows.add("PatientAddress", PatientSer=ser, AddressSer=address, PrimaryFlag=1)
    if patient.number % 2 == 0 and not is_phantom:
        rows.add(
            "PointOfContact", PatientSer=ser, PrimaryFlag=1, Relationship="Neighbour", FirstName="Linnet",
            LastName=patient.family, HomePhone="555-0188", EntrustedContactFlag=1,
        )  # fmt: skip
    doctor = rows.key("Doctor", "ResourceSer", DoctorId=f"D{patient.physician.number}")
    rows.add(
        "PatientDoctor", ResourceSer=doctor, PatientSer=ser, OncologistFlag=1, PrimaryFlag=1, PrimaryCarePhysicianFlag=0
    )
    rows.add(
        "pt", pt_id=f"1000-{ser:06d}", pt_last_name=patient.family, pt_first_name=patient.given, patient_ser=ser,
        pt_dob=day_stamp(patient.birth_date), sex_cd=patient.sex, pt_alert_ind="Y" if patient.alerts else "N",
        test_pt_ind="Y" if is_phantom else "N",
    )  # fmt: skip
    if patient.note:
        rows.add(
            "quick_note", pt_id=f"1000-{ser:06d}", quick_note_id=1, appr_flag="A", valid_entry_ind="Y",
            quick_note_typ=1,
            author_userid="nurse", note_tstamp=stamp(images.taken_at), quick_note_text=patient.note,
        )  # fmt: skip
