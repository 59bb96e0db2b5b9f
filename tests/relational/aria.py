"""A small ARIA in SQLite, with the pathologies that clinics have.

Goal
    Every query meets what a real database holds: padding, empty strings, years 1753 and 9999, superseded rows,
    names with commas and emoji.

How
    Tables as `aria_schema.txt` says. `Aria` inserts one thing per method.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.relational.made_up import MadeUpDatabase, schema_of

TODAY = datetime(2026, 11, 22)  # noqa: DTZ001  ARIA's times are local to the site and have no zone
SCHEMA = schema_of("aria")


class Aria(MadeUpDatabase):
    """The database under construction."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, SCHEMA)

    def patient(
        self, patient_id: object, family: str | None = "Muster", given: str | None = "Anna", **more: object
    ) -> int:
        serial = next(self.numbers)
        values = {"DateOfBirth": "1960-05-17 00:00:00", "Sex": "Female", "HstryDateTime": TODAY} | more
        self.insert("Patient", PatientSer=serial, PatientId=patient_id, LastName=family, FirstName=given, **values)
        return serial

    def machine(self, machine_id: str, machine_type: str = "RadiationDevice") -> int:
        serial = next(self.numbers)
        self.insert("Machine", ResourceSer=serial, MachineId=machine_id, MachineType=machine_type)
        return serial

    def course(self, patient: int, course_id: str = "C1", **more: object) -> int:
        serial = next(self.numbers)
        values = {"ClinicalStatus": "ACTIVE", "StartDateTime": TODAY - timedelta(30)} | more
        self.insert("Course", CourseSer=serial, PatientSer=patient, CourseId=course_id, **values)
        return serial

    def plan(
        self, course: int, uid: str, label: str = "Prostate", status: str = "TreatApproval", **more: object
    ) -> int:
        """A PlanSetup and its RTPlan under one number."""
        serial = next(self.numbers)
        structure_set = next(self.numbers)
        setup: dict[str, object] = {
            "StatusUserName": "DrGreen",
            "StatusDate": TODAY - timedelta(20),
            "Intent": "CURATIVE",
        }
        dose: dict[str, object] = {"NoFractions": 25, "PrescribedDose": 2.0}
        setup |= {name: value for name, value in more.items() if name in SCHEMA["PlanSetup"]}
        dose |= {name: value for name, value in more.items() if name in SCHEMA["RTPlan"] and name not in setup}
        self.insert("StructureSet", StructureSetSer=structure_set, StructureSetUID=f"{uid}.3", SeriesSer=structure_set)
        self.insert("Series", SeriesSer=structure_set, FrameOfReferenceUID=f"{uid}.4")
        self.insert(
            "PlanSetup",
            PlanSetupSer=serial,
            CourseSer=course,
            PlanSetupId=label,
            Status=status,
            StructureSetSer=structure_set,
            **setup,
        )
        self.insert("RTPlan", RTPlanSer=serial, PlanSetupSer=serial, PlanUID=uid, **dose)
        return serial

    def field(self, plan: int, machine: int | None, beam_number: int, *, is_setup: bool = False, **more: object) -> int:
        serial = next(self.numbers)
        energy, technique, tolerance = (next(self.numbers) for _ in range(3))
        common: dict[str, object] = {"Meterset": 123.4, "SSD": 91.5, "PatientSupportAngle": 0.0, "CouchVrt": -12.5}
        common |= {name: value for name, value in more.items() if name in SCHEMA["ExternalFieldCommon"]}
        note = {"SetupNote": more.get("SetupNote", "Laser on tattoo")}
        self.insert(
            "Radiation",
            RadiationSer=serial,
            PlanSetupSer=plan,
            RadiationNumber=beam_number,
            RadiationId=f"F{beam_number}",
            ResourceSer=machine,
            **note,
        )
        self.insert("EnergyMode", EnergyModeSer=energy, Energy=6000, RadiationType="X")
        self.insert("Technique", TechniqueSer=technique, TechniqueId="ARC")
        self.insert("Tolerance", ToleranceSer=tolerance, ToleranceId="PELVIS")
        self.insert("MLCPlan", MLCPlanSer=next(self.numbers), RadiationSer=serial, MLCPlanType="VMAT")
        self.insert(
            "ExternalFieldCommon",
            RadiationSer=serial,
            SetupFieldFlag=int(is_setup),
            EnergyModeSer=energy,
            TechniqueSer=technique,
            ToleranceSer=tolerance,
            **common,
        )
        self.insert("ExternalField", RadiationSer=serial, GantryRtn=181.0, StopAngle=179.0, CollRtn=30.0, DoseRate=600)
        return serial

    def delivery(self, patient: int, plan_uid: str, field: int, fraction: int, at: datetime, **more: object) -> int:
        serial = next(self.numbers)
        record = {name: value for name, value in more.items() if name in SCHEMA["TreatmentRecord"]}
        history: dict[str, object] = {
            "TerminationStatus": "NORMAL",
            "TreatmentDeliveryType": "TREATMENT",
            "RadiationNumber": None,
        }
        history |= {name: value for name, value in more.items() if name in SCHEMA["RadiationHstry"]}
        metersets: dict[str, object] = {
            "PlannedMeterset": 123.4,
            "ActualMeterset": 123.4,
            "CouchVrt": -12.4,
            "CouchCorrectionLat": 0.3,
        }
        metersets |= {name: value for name, value in more.items() if name in SCHEMA["ExternalFieldCommonHstry"]}
        self.insert(
            "TreatmentRecord",
            TreatmentRecordSer=serial,
            PatientSer=patient,
            PlanUID=plan_uid,
            TreatmentRecordUID=f"{plan_uid}.9.{serial}",
            TreatmentRecordDateTime=at,
            **record,
        )
        self.insert(
            "RadiationHstry",
            RadiationHstrySer=serial,
            TreatmentRecordSer=serial,
            RadiationSer=field,
            FractionNumber=fraction,
            TreatmentStartTime=at,
            **history,
        )
        self.insert("ExternalFieldCommonHstry", RadiationHstrySer=serial, **metersets)
        return serial

    def appointment(self, patient: int | None, at: datetime, *resources: int, **more: object) -> int:
        """An appointment on the given resources; the first one is primary."""
        serial = next(self.numbers)
        values = {"ObjectStatus": "Active", "ScheduledActivityCode": "Open", "ScheduledActivityRevCount": 0}
        values |= {"ScheduledEndTime": at + timedelta(minutes=15)} | more
        self.insert(
            "ScheduledActivity",
            ScheduledActivitySer=serial,
            PatientSer=patient,
            ScheduledStartTime=at,
            ActivityInstanceSer=1,
            **values,
        )
        for place, resource in enumerate(resources):
            self.insert(
                "ResourceActivity", ScheduledActivitySer=serial, ResourceSer=resource, PrimaryFlag=int(place == 0)
            )
        return serial

    def physician(self, patient: int, family: str, given: str, *, oncologist: int = 1, primary: int = 1) -> int:
        serial = next(self.numbers)
        self.insert("Doctor", ResourceSer=serial, LastName=family, FirstName=given, Specialty="Radiation oncology")
        self.insert(
            "PatientDoctor", ResourceSer=serial, PatientSer=patient, OncologistFlag=oncologist, PrimaryFlag=primary
        )
        return serial

    def photo(
        self,
        patient: int,
        picture: bytes | None,
        at: datetime = TODAY,
        kind: str = "Portrait",
        field: int | None = None,
    ) -> int:
        """A photo of a patient; with `field`, of how that field is set up."""
        serial = next(self.numbers)
        self.insert("Photo", PhotoSer=serial, PatientSer=patient, PhotoType=kind, Picture=picture, HstryDateTime=at)
        if field is not None:
            self.insert("FieldPhoto", PhotoSer=serial, RadiationSer=field)
        return serial

    def prescription(self, course: int, *targets: tuple[str, str, str, str], **more: object) -> int:
        """Targets: name, total dose, dose per fraction, unit, all as a person typed them."""
        serial = next(self.numbers)
        values = {"Status": "Approved", "NumberOfFractions": 25, "Site": "Prostate", "HstryDateTime": TODAY} | more
        self.insert("TreatmentPhase", TreatmentPhaseSer=serial, CourseSer=course)
        self.insert("Prescription", PrescriptionSer=serial, TreatmentPhaseSer=serial, **values)
        for name, total, each, unit in targets:
            anatomy = next(self.numbers)
            self.insert(
                "PrescriptionAnatomy",
                PrescriptionAnatomySer=anatomy,
                PrescriptionSer=serial,
                AnatomyRole=2,
                AnatomyName=name,
            )
            for kind, dose in (("TOTAL DOSE", total), ("DOSE PER FRACTION", each)):
                self.insert(
                    "PrescriptionAnatomyItem",
                    PrescriptionAnatomyItemSer=next(self.numbers),
                    PrescriptionAnatomySer=anatomy,
                    ItemType=kind,
                    ItemValue=dose,
                    ItemValueUnit=unit,
                )
        return serial
