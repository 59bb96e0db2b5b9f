"""The simulated clinic: its patients, their plans, and who is treated next as its clock runs.

Goal
    An R&V system's whole content, in mid-course on the day it opens, and a course of events after that: the same for
    the same seed and opening time.

How
    All sessions, past and future, are laid out at the start. `objects` gives what was planned and delivered until
    the opening; `treat_until` moves the clock and gives the records of the sessions that fall due.

Why nothing is kept
    Datasets are made when they are asked for: sixty patients with images would fill the memory of a small machine.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from demo.clinic import anatomy, delivery, dose, planning
from demo.clinic.beams import beams_of
from demo.clinic.courses import MACHINES, SLOTS_PER_DAY, ImageSet, SimulatedSession, TreatmentPlan, slot_time
from demo.clinic.identifiers import business_days_after, chance, uid
from demo.clinic.patients import make_patient
from demo.clinic.scenarios import cases
from demo.clinic.sites import SITES
from recovery.dicom.model import RT_ION_PLAN, RT_PLAN, VARIAN_RT_PLAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pydicom import Dataset

    from demo.clinic.delivery import DeliveredRecord
    from demo.clinic.patients import ClinicPatient
    from demo.clinic.scenarios import Case, PlanCase

_BID_GAP = 24
"""Slots between two fractions of one day: six hours."""
_MAKE_UP_GAP = 8
"""Slots until an interrupted fraction goes on, on the same day: two hours."""


class Clinic:
    """The clinic of `seed`, opened at `now` (local to the site; a time zone is dropped, the wall clock kept)."""

    def __init__(self, seed: int, now: datetime, *, fast: bool = False) -> None:
        self.seed = seed
        self.fast = fast
        self.opened_at = self.now = now.replace(tzinfo=None)
        self._free_slots = {name: list(range(SLOTS_PER_DAY)) for name in MACHINES}
        self._dealt_slots: dict[int, int] = {}
        self._anchor = business_days_after(self.now.date(), 0)
        self.patients: list[ClinicPatient] = []
        self.image_sets: list[ImageSet] = []
        self.plans: list[TreatmentPlan] = []
        self.sessions: list[SimulatedSession] = []
        missing: set[str] = set()
        for case in cases(seed, fast=fast):
            missing |= self._open_case(case)
        self.sessions.sort(key=lambda s: (s.starts_at, s.session_id))
        self.missing_uids = frozenset(missing)
        """What the R&V system deliberately does not hold: one plan and one CT slice."""

    def objects(self, part: int = 0, parts: int = 1) -> Iterator[Dataset]:
        """All objects that the R&V system holds at the opening, or one of `parts` equal parts of them.

        Planning objects come first, then records by time.
        """
        for ds in self.planning_objects(part, parts):
            if str(ds.SOPInstanceUID) not in self.missing_uids:
                yield ds
        history = self.delivered(datetime.min, self.opened_at)  # noqa: DTZ901  site time
        for record in islice(history, part, None, parts):
            yield delivery.dataset(record)

    def planning_objects(self, part: int = 0, parts: int = 1) -> Iterator[Dataset]:
        """Images, structure sets, plans, doses and reference images, with those that the R&V system lacks."""
        for images in self.image_sets[part::parts]:
            volume = anatomy.volume_of(images, fast=self.fast)
            yield from anatomy.ct_slices(images, volume)
            yield anatomy.structure_set(images, volume)
            for plan in self.plans:
                if plan.images is images:
                    yield planning.plan_dataset(plan)
                    yield dose.dose_dataset(plan, volume)
                    yield from dose.reference_images(plan, volume)

    def treat_until(self, now: datetime) -> Iterator[Dataset]:
        """Move the clock to `now` and give the records of the sessions that ended since; nothing when it is past."""
        before, until = self.now, now.replace(tzinfo=None)
        if until > before:
            self.now = until
            for record in self.delivered(before, until):
                yield delivery.dataset(record)

    def delivered(self, since: datetime, until: datetime) -> Iterator[DeliveredRecord]:
        """What was delivered in the sessions that ended after `since` and by `until`, record by record, by time."""
        for session in self.sessions:
            if since < session.ends_at <= until:
                yield from delivery.records_of(session)

    def postpone(self, since: datetime, until: datetime) -> None:
        """Nobody was treated between the two: whoever missed a session goes on with it on the next possible day.

        The clock then stands at `until`. Sessions keep their fraction numbers and their time of day.
        """
        since, until = since.replace(tzinfo=None), until.replace(tzinfo=None)
        delayed: dict[str, tuple[datetime, int]] = {}
        for session in self.sessions:
            uid_of_plan = session.plan.sop_instance_uid
            if since < session.ends_at <= until and uid_of_plan not in delayed:
                day, days = session.starts_at, 0
                while day + (session.ends_at - session.starts_at) <= until:
                    days += 1
                    day = _moved(session.starts_at, days)
                delayed[uid_of_plan] = (session.starts_at, days)
        for index, session in enumerate(self.sessions):
            first, days = delayed.get(session.plan.sop_instance_uid, (session.starts_at, 0))
            if days and session.starts_at >= first:
                self.sessions[index] = replace(session, starts_at=_moved(session.starts_at, days))
        self.sessions.sort(key=lambda s: (s.starts_at, s.session_id))
        self.now = max(self.now, until)

    def next_session_after(self, moment: datetime) -> SimulatedSession | None:
        """The next session to end after `moment`: where a launcher jumps to at night."""
        moment = moment.replace(tzinfo=None)
        return min((s for s in self.sessions if s.ends_at > moment), key=lambda s: s.ends_at, default=None)

    def _open_case(self, case: Case) -> set[str]:
        """Add a case's patient, images, plans and sessions; the UIDs that the R&V system shall lack."""
        first = case.plans[0]
        patient = make_patient(self.seed, case.number, self._anchor, SITES[first.site].sex)
        images = self._image_set(patient, first)
        self.patients.append(patient)
        self.image_sets.append(images)
        missing = {images.slice_uids[len(images.slice_uids) // 2]} if case.slice_missing else set()
        for index, plan_case in enumerate(case.plans):
            plan = self._plan(case, plan_case, patient, images, index)
            self.plans.append(plan)
            self.sessions += self._sessions(plan_case, plan)
            if case.plan_missing:
                missing.add(plan.sop_instance_uid)
        return missing

    def _image_set(self, patient: ClinicPatient, first: PlanCase) -> ImageSet:
        name = (self.seed, self.opened_at, patient.number)
        taken_on = business_days_after(self._anchor, first.first_day - 8)
        return ImageSet(
            patient=patient,
            site=SITES[first.site],
            taken_at=slot_time(taken_on, 4 + patient.number % 20),
            study_instance_uid=uid(*name, "study"),
            series_instance_uid=uid(*name, "ct"),
            frame_of_reference_uid=uid(*name, "frame"),
            slice_uids=tuple(uid(*name, "slice", n) for n in range(anatomy.number_of_slices(fast=self.fast))),
            structure_set_uid=uid(*name, "structures"),
            structure_set_series_uid=uid(*name, "structures", "series"),
        )

    def _plan(
        self, case: Case, plan_case: PlanCase, patient: ClinicPatient, images: ImageSet, index: int
    ) -> TreatmentPlan:
        name = (self.seed, self.opened_at, patient.number, "plan", index)
        setup_fields = plan_case.setup_fields and plan_case.technique != "PROTON"
        dice = chance(self.seed, patient.number, plan_case.label)
        beams = beams_of(plan_case.technique, plan_case.dose, dice, setup_fields=setup_fields, fast=self.fast)
        treated = [b for b in beams if b.is_treatment] if plan_case.reference_images else []
        photon_class = VARIAN_RT_PLAN if plan_case.private_class else RT_PLAN
        approved_on = business_days_after(self._anchor, plan_case.first_day - 2)
        return TreatmentPlan(
            patient=patient,
            site=SITES[plan_case.site],
            images=images,
            course_id="C1",
            rt_plan_label=plan_case.label,
            technique=plan_case.technique,
            machine=MACHINES[case.machine],
            dose_per_fraction=plan_case.dose,
            number_of_fractions=plan_case.fractions,
            prescribed_fractions=plan_case.fractions + plan_case.prescribed_more,
            fractions_per_day=plan_case.per_day,
            beams=beams,
            sop_class_uid=RT_ION_PLAN if plan_case.technique == "PROTON" else photon_class,
            sop_instance_uid=uid(*name),
            series_instance_uid=uid(*name, "series"),
            dose_uid=uid(*name, "dose"),
            reference_image_uids=tuple(uid(*name, "drr", b.beam_number) for b in treated),
            approved_at=slot_time(approved_on, 20) + timedelta(minutes=3),
            intent=plan_case.intent,
            geometry="TREATMENT_DEVICE" if plan_case.verification else "PATIENT",
            one_record_per_session=plan_case.one_record_per_session,
        )

    def _sessions(self, plan_case: PlanCase, plan: TreatmentPlan) -> Iterator[SimulatedSession]:
        """All sessions of a plan, past and future."""
        slot = self._slot(plan, plan_case.per_day)
        day = plan_case.first_day
        for fraction in range(1, (plan_case.stop_after or plan_case.fractions) + 1):
            place = (fraction - 1) % plan_case.per_day
            session = SimulatedSession(
                plan,
                fraction,
                slot_time(self._day(day), slot + place * _BID_GAP),
                portfilm=plan_case.portfilm and fraction % 5 == 1,
                without_date=fraction in plan_case.without_date,
                only_as_object=fraction in plan_case.only_as_objects,
            )
            if fraction in plan_case.interrupted:
                share, wait = plan_case.interrupted[fraction]
                later = slot_time(self._day(day + wait), slot + (0 if wait else _MAKE_UP_GAP))
                yield replace(session, stops_at=share)
                yield replace(session, starts_at=later, continues_from=share, portfilm=False)
                day += wait
            else:
                yield session
            day += plan_case.every if place == plan_case.per_day - 1 else 0

    def _day(self, business_day: int) -> date:
        return business_days_after(self._anchor, business_day)

    def _slot(self, plan: TreatmentPlan, per_day: int) -> int:
        """The patient's time of day: the same for all plans, and with room for a second fraction where it needs one."""
        number = plan.patient.number
        if number not in self._dealt_slots:
            free = self._free_slots[plan.machine.name]
            fitting = [s for s in free if per_day == 1 or s + _BID_GAP in free]
            chosen = chance(self.seed, "slot", number).choice(fitting)
            self._dealt_slots[number] = chosen
            for place in range(per_day):
                free.remove(chosen + place * _BID_GAP)
        return self._dealt_slots[number]


def _moved(moment: datetime, business_days: int) -> datetime:
    """The same time of day, some business days later."""
    return moment.replace(tzinfo=None) + (business_days_after(moment.date(), business_days) - moment.date())
