"""A small MOSAIQ in SQLite, with the pathologies that clinics have.

Goal
    Every query meets what a real database holds: padded CHARs, older versions, suppressed rows, machines among the
    staff, fields of several types.

How
    Tables as `mosaiq_schema.txt` says. `Mosaiq` inserts one thing per method; what has versions gets older ones, before
    and after its tip, which no table may show.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.relational.aria import TODAY
from tests.relational.made_up import MadeUpDatabase, schema_of

SCHEMA = schema_of("mosaiq")
OLDER = "superseded"
"""What an older version says where it holds text."""
LONG_AGO = TODAY - timedelta(days=3000)


class Mosaiq(MadeUpDatabase):
    """The database under construction."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, SCHEMA)

    def patient(
        self, patient_id: object, family: str | None = "Muster", given: str | None = "Anna", **more: object
    ) -> int:
        """`more`: columns of Ident, Patient or Admin."""
        serial = next(self.numbers)
        of = {table: {n: v for n, v in more.items() if n in SCHEMA[table]} for table in ("Ident", "Patient", "Admin")}
        number = next(self.numbers)
        self.insert("Ident", IDENT_ID=number, Pat_Id1=serial, IDA=f"{OLDER} {patient_id}", Version=1)
        self.insert("Ident", IDENT_ID=number + 100_000, Pat_Id1=serial, IDA=patient_id, Version=0, **of["Ident"])
        self.insert("Ident", IDENT_ID=number + 200_000, Pat_Id1=serial, IDA=f"{OLDER}, 2, {patient_id}", Version=2)
        born = {"Birth_DtTm": "1960-05-17 00:00:00"} | of["Patient"]
        self.insert("Patient", Pat_ID1=serial, Last_Name=family, First_Name=given, **born)
        self.insert("Admin", Pat_ID1=serial, **({"Gender": "Female"} | of["Admin"]))
        return serial

    def staff(self, family: str, given: str | None = None, **more: object) -> int:
        serial = next(self.numbers)
        self.insert("Staff", Staff_ID=serial, Last_Name=family.ljust(30), First_Name=given, **more)
        return serial

    def machine(self, name: str) -> int:
        return self.staff(name, Machine_Type=1)

    def course(self, patient: int, number: int | None = 1, code: str | None = None, words: str | None = None) -> int:
        serial = next(self.numbers)
        self.insert("PatCPlan", PCP_ID=serial, Pat_ID1=patient, Course=number, Tx_Intent="Curative", MED_ID=serial)
        self.insert("Medical", MED_ID=serial, PAT_ID1=patient, TPG_ID=serial)
        self.insert("Topog", TPG_ID=serial, Diag_Code=code, Description=words)
        return serial

    def site(self, patient: int, course: int | None, name: str, **more: object) -> tuple[int, int]:
        """A prescription; the SIT_ID of its older version, and SIT_SET_ID. The tip has a SIT_ID of its own."""
        tip, older, together = (next(self.numbers) for _ in range(3))
        said: dict[str, object] = {
            "Site_Name": name,
            "Dose_Tx": 200.0,
            "Dose_Ttl": 5000.0,
            "Fractions": 25,
            "Frac_Pattern": "5x/Week",
            "Status_Enum": 5,
            "Sanct_DtTm": TODAY - timedelta(days=25),
            "Create_DtTm": TODAY - timedelta(days=30),
            "PCP_ID": course,
        }
        self.insert(
            "Site", SIT_ID=older, SIT_SET_ID=together, Version=1, Pat_ID1=patient, Site_Name=OLDER, Status_Enum=7
        )
        self.insert("Site", SIT_ID=tip, SIT_SET_ID=together, Version=0, Pat_ID1=patient, **said | more)
        oldest = {"Version": 2, "Pat_ID1": patient, "Site_Name": OLDER, "Status_Enum": 7}
        self.insert("Site", SIT_ID=next(self.numbers), SIT_SET_ID=together, **oldest)
        return older, together

    def plan(self, patient: int, uid: str, label: str | None) -> None:
        number = next(self.numbers)
        self.insert("DCMInstance", DCMInstance_ID=number, SOPInstanceUID=uid)
        self.insert("RtPlan", Pat_ID1=patient, Label=label, DCMInstance_ID=number)

    def field(
        self, patient: int, site: int, uid: str | None, number: int | None, machine: int | None, **more: object
    ) -> int:
        """A field that is signed, and its older version, which is not; the FLD_ID of the tip."""
        tip, older = next(self.numbers), next(self.numbers)
        said: dict[str, object] = {
            "Field_Name": f"F{number}",
            "Field_Label": f"0{number}",
            "OriginalPlanUID": None if uid is None else uid.ljust(64),
            "OriginalBeamNumber": number,
            "Machine_ID_Staff_ID": machine,
            "Type_Enum": 13,
            "Modality_Enum": 1,
            "Meterset": 123.4,
            "Cgray": 100.0,
            "Ssd": 91.5,
            "Sanct_DtTm": TODAY - timedelta(days=20),
            "Create_DtTm": TODAY - timedelta(days=22),
        } | more
        place = {"FLD_SET_ID": tip, "Pat_ID1": patient, "SIT_Set_ID": site}
        old = said | {"Sanct_DtTm": None, "Meterset": 99.9, "Field_Name": OLDER}
        self.insert("TxField", FLD_ID=older, Version=1, **place, **old)
        self.insert("TxField", FLD_ID=tip, Version=0, **place, **said)
        for point, index, gantry in ((0, 0.0, 181.0), (1, 50.0, 0.0), (2, 100.0, 179.0)):
            self.insert(
                "TxFieldPoint",
                Index=index,
                FLD_ID=tip,
                Point=point,
                Gantry_Ang=gantry,
                Coll_Ang=30.0,
                Couch_Ang=0.0,
                Energy=6,
                Meterset_Rate=600.0,
            )
        return tip

    def setup(self, site: int, **more: object) -> int:
        serial = next(self.numbers)
        said: dict[str, object] = {"Patient_Orient": 1, "Setup_Note": "Laser on tattoo", "Couch_Vrt": -12.5}
        said |= {"Status_Enum": 5} | more
        self.insert(
            "SiteSetup",
            SIS_ID=next(self.numbers),
            Sit_Set_ID=site,
            Version=1,
            Setup_Note=OLDER,
            Structure_Set_UID="9",
        )
        self.insert("SiteSetup", SIS_ID=serial, Sit_Set_ID=site, Version=0, **said)
        return serial

    def delivery(
        self, patient: int, field: int | None, site: int | None, fraction: int | None, at: datetime, **more: object
    ) -> int:
        """`site` is a SIT_ID, of any version."""
        serial = next(self.numbers)
        said: dict[str, object] = {"Meterset": 123.4, "Type_Enum": 13, "Modality_Enum": 1, "PartiallyTreated": 0}
        said |= {"Termination_Status_Enum": 1, "WasQAMode": 0, "WasOverridden": 0}
        self.insert(
            "Dose_Hst",
            DHS_ID=serial,
            Pat_ID1=patient,
            FLD_ID=field,
            SIT_ID=site,
            Fractions_Tx=fraction,
            Tx_DtTm=at,
            **said | more,
        )
        self.insert("FLD_HST", FHS_ID=serial, DHS_ID=serial, Pat_ID1=patient, Tx_DtTm=at)
        self.insert("TxFieldPoint_Hst", FHS_ID=serial, Point=0, Couch_Vrt=-12.4, Couch_Lng=85.0, Couch_Lat=0.3)
        self.insert("TxFieldPoint_Hst", FHS_ID=serial, Point=1, Couch_Vrt=-99.9)
        return serial

    def appointment(
        self, patient: int | None, at: datetime, place: int | None, status: str | None, **more: object
    ) -> int:
        serial = next(self.numbers)
        said: dict[str, object] = {"Activity": "BEAM      ", "Duration_time": 90_000, "Suppressed": 0, "Version": 0}
        self.insert(
            "Schedule",
            Sch_Id=serial,
            Sch_Set_Id=serial,
            Pat_ID1=patient,
            App_DtTm=at,
            Location=place,
            SchStatus_Hist_SD=status,
            **said | more,
        )
        return serial

    def shift(self, site: int, at: datetime, lateral: float, **more: object) -> None:
        """A localisation: how far imaging moved the couch."""
        serial = next(self.numbers)
        said: dict[str, object] = {"Version": 0, "Offset_Type": 2, "Offset_State": 2} | more
        shifts = {"Superior_Offset": 0.1, "Anterior_Offset": -0.2, "Lateral_Offset": lateral}
        self.insert("Offset", OFF_ID=serial, Sit_Set_ID=site, Study_DtTm=at, **shifts, **said)

    def tracked(self, patient: int, field: int, at: datetime, **more: object) -> int:
        """A field that was sent to a machine, whose beam came on, and that was not recorded."""
        serial = next(self.numbers)
        said: dict[str, object] = {"WasBeamOn": 1, "WasRecorded": 0, "WasQAMode": 0, "WasResolved": 0} | more
        self.insert("TrackTreatment", TTX_ID=serial, Pat_ID1=patient, FLD_ID=field, Sent_DtTm=at, **said)
        return serial

    def session(self, course: int | None, patient: int, *fields: int, status: int = 5, **more: object) -> None:
        """A session of the calendar with its fields, by FLD_SET_ID."""
        serial = next(self.numbers)
        self.insert("PatCItem", PCI_ID=serial, PCP_ID=course, Pat_ID1=patient, **({"Status_Enum": status} | more))
        for field in fields:
            self.insert(
                "PatTxCal",
                PTC_ID=next(self.numbers),
                PCI_ID=serial,
                FLD_Set_ID=field,
                Pat_ID1=patient,
                Status_enum=status,
            )
