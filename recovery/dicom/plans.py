"""Plans and structure sets: what was to be delivered, and which objects that needs by its references (PS3.3 A.86)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydicom import Dataset

from recovery.dicom import elements as el
from recovery.dicom.model import InstanceRef, Patient
from recovery.words.units import SECONDS, unit_of

NOBODY = Patient(None, None, None, None)

MADE_FROM = frozenset({"PARENT", "PREDECESSOR"})
"""RTPlanRelationship (300A,0055) of a plan that another one was derived from."""
NOT_TREATMENT_BEAMS = frozenset({"SETUP", "OPEN_PORTFILM", "TRMT_PORTFILM"})


@dataclass(frozen=True, slots=True)
class PlannedBeam:
    """A beam of a plan's fraction group; an application setup, for brachytherapy.

    `meterset_unit` is PrimaryDosimeterUnit (300A,00B3), which is type 3, or seconds of channel time. `pulses` are
    channel number and NumberOfPulses (300A,028A), where there is more than one.
    """

    beam_number: int
    beam_name: str | None
    fraction_group_number: int | None
    treatment_delivery_type: str | None
    beam_meterset: float | None
    treatment_machine_name: str | None
    meterset_unit: str | None = None
    pulses: tuple[tuple[int | None, int], ...] = ()
    channel_times: tuple[tuple[int | None, float], ...] = ()
    """Of an application setup, seconds by channel number, of the channels that the source is to stay in."""

    @property
    def treats(self) -> bool:
        """Whether it is a treatment beam, by the contract: neither setup nor portfilm, and with a meterset."""
        return self.beam_meterset is not None and self.treatment_delivery_type not in NOT_TREATMENT_BEAMS


@dataclass(frozen=True, slots=True)
class FractionGroup:
    """An item of FractionGroupSequence (300A,0070). `number_of_fractions_planned` is type 2: it may be None."""

    fraction_group_number: int | None
    number_of_fractions_planned: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """An RT Plan, RT Ion Plan or Varian's private RT Plan (PS3.3 A.20, A.49)."""

    ref: InstanceRef
    patient: Patient
    rt_plan_label: str | None
    plan_intent: str | None
    rt_plan_geometry: str | None
    approval_status: str | None
    frame_of_reference_uid: str | None
    fraction_groups: tuple[FractionGroup, ...]
    beams: tuple[PlannedBeam, ...]
    structure_set_uids: tuple[str, ...]
    dose_uids: tuple[str, ...]
    reference_image_uids: tuple[str, ...]
    predecessor_uids: tuple[str, ...] = ()
    """Plans that it was made from: those it names as PARENT or PREDECESSOR (RTPlanRelationship, 300A,0055)."""

    @property
    def number_of_fractions_planned(self) -> int | None:
        """Over all fraction groups that treat; None as soon as one of them does not say, and 0 says nothing."""
        numbers = [g.number_of_fractions_planned for g in self.treating_groups]
        if not numbers or any(n is None or n <= 0 for n in numbers):
            return None
        return sum(n for n in numbers if n is not None)

    @property
    def treating_groups(self) -> tuple[FractionGroup, ...]:
        """Fraction groups with a treatment beam; all of them, where not one beam has a meterset to tell."""
        with_beams = {beam.fraction_group_number for beam in self.beams if beam.treats}
        return tuple(g for g in self.fraction_groups if not with_beams or g.fraction_group_number in with_beams)

    @classmethod
    def from_dataset(cls, ds: Dataset) -> Plan:
        """Read a plan; an element that is absent, empty or malformed becomes None.

        Raises `InvalidObjectError` if there is no SOPInstanceUID.
        """
        beams = [*el.items(ds, "BeamSequence"), *el.items(ds, "IonBeamSequence")]
        groups = el.items(ds, "FractionGroupSequence")
        return cls(
            ref=InstanceRef.from_dataset(ds),
            patient=Patient.from_dataset(ds),
            rt_plan_label=el.text(ds, "RTPlanLabel"),
            plan_intent=el.text(ds, "PlanIntent"),
            rt_plan_geometry=el.text(ds, "RTPlanGeometry"),
            approval_status=el.text(ds, "ApprovalStatus"),
            frame_of_reference_uid=el.text(ds, "FrameOfReferenceUID"),
            fraction_groups=tuple(
                FractionGroup(el.integer(g, "FractionGroupNumber"), el.positive(g, "NumberOfFractionsPlanned"))
                for g in groups
            ),
            beams=tuple(_planned_beams(groups, beams, el.items(ds, "ApplicationSetupSequence"))),
            structure_set_uids=_referenced(ds, "ReferencedStructureSetSequence"),
            dose_uids=_referenced(ds, "ReferencedDoseSequence"),
            reference_image_uids=_unique(
                uid
                for place in (*beams, *el.items(ds, "ApplicationSetupSequence"))
                for uid in _referenced(place, "ReferencedReferenceImageSequence")
            ),
            predecessor_uids=_predecessors(ds),
        )


@dataclass(frozen=True, slots=True)
class ReferencedSeries:
    """A planning image series and the slices of it that a structure set names; none named means: all of it."""

    series_instance_uid: str
    study_instance_uid: str | None
    sop_instance_uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructureSet:
    """An RT Structure Set (PS3.3 A.19). What it needs is the union of `image_series` and `contour_image_uids`."""

    ref: InstanceRef
    structure_set_label: str | None
    frame_of_reference_uids: tuple[str, ...]
    image_series: tuple[ReferencedSeries, ...]
    contour_image_uids: tuple[str, ...] = ()
    """Slices that contours name, or an item without a series, and no series lists: in which they lie is not said."""
    patient: Patient = NOBODY

    @property
    def names_images(self) -> bool:
        return bool(self.image_series or self.contour_image_uids)

    @classmethod
    def from_dataset(cls, ds: Dataset) -> StructureSet:
        """Read a structure set's references.

        RTReferencedStudySequence and what lies below it may be left out or incomplete (PS3.3 table C.8-41, type 3):
        slices may be named by contours alone (ROIContourSequence > ContourSequence > ContourImageSequence). Those
        belong to the one referenced series when there is just one that lists its slices.

        Raises `InvalidObjectError` if there is no SOPInstanceUID.
        """
        frames = el.items(ds, "ReferencedFrameOfReferenceSequence")
        series = [s for frame in frames for s in _series_of_frame(frame)]
        listed = {uid for one in series for uid in one.sop_instance_uids}
        of_no_series = tuple(_slices_of_no_series(frames))
        unlisted = _unique(uid for uid in (*of_no_series, *_slices_of_contours(ds)) if uid not in listed)
        if len(series) == 1 and series[0].sop_instance_uids and not of_no_series:
            named = (*series[0].sop_instance_uids, *unlisted)
            series = [ReferencedSeries(series[0].series_instance_uid, series[0].study_instance_uid, named)]
            unlisted = ()
        return cls(
            ref=InstanceRef.from_dataset(ds),
            structure_set_label=el.text(ds, "StructureSetLabel"),
            frame_of_reference_uids=_unique(_frames_of(ds, frames)),
            image_series=tuple(series),
            contour_image_uids=unlisted,
            patient=Patient.from_dataset(ds),
        )


@dataclass(frozen=True, slots=True)
class ImageSeries:
    """An image series that was found, and every slice of it that a source or the RT-PACS listed.

    `frame_of_reference_uid`: None where no node tells it and no slice could be read.
    """

    series_instance_uid: str
    study_instance_uid: str | None
    patient_id: str | None
    frame_of_reference_uid: str | None
    sop_instance_uids: tuple[str, ...]

    def joined(self, other: ImageSeries) -> ImageSeries:
        """With what another listing of the same series tells: a slice that was there once stays wanted."""
        return ImageSeries(
            self.series_instance_uid,
            self.study_instance_uid or other.study_instance_uid,
            self.patient_id or other.patient_id,
            self.frame_of_reference_uid or other.frame_of_reference_uid,
            tuple(sorted({*self.sop_instance_uids, *other.sop_instance_uids})),
        )


def anatomy_of(plan: Plan | None, structure_sets: Mapping[str, StructureSet]) -> set[str]:
    """The frames of reference and structure sets that a plan stands on; none are known of a plan not held."""
    if plan is None:
        return set()
    frames = {
        uid for s in plan.structure_set_uids if s in structure_sets for uid in structure_sets[s].frame_of_reference_uids
    }
    own = {plan.frame_of_reference_uid} if plan.frame_of_reference_uid else set()
    return own | frames | set(plan.structure_set_uids)


def _planned_beams(
    groups: list[Dataset], beams: list[Dataset], application_setups: list[Dataset]
) -> Iterable[PlannedBeam]:
    by_number = {number: b for b in beams if (number := el.integer(b, "BeamNumber")) is not None}
    setups = {number: s for s in application_setups if (number := el.integer(s, "ApplicationSetupNumber")) is not None}
    for group in groups:
        group_number = el.integer(group, "FractionGroupNumber")
        for item in el.items(group, "ReferencedBeamSequence"):
            number = el.integer(item, "ReferencedBeamNumber")
            if number is None:
                continue
            beam = by_number.get(number)
            yield PlannedBeam(
                beam_number=number,
                beam_name=el.text(beam, "BeamName"),
                fraction_group_number=group_number,
                treatment_delivery_type=el.text(beam, "TreatmentDeliveryType"),
                beam_meterset=el.amount(item, "BeamMeterset"),
                treatment_machine_name=el.text(beam, "TreatmentMachineName"),
                meterset_unit=unit_of(el.text(beam, "PrimaryDosimeterUnit")),
            )
        for item in el.items(group, "ReferencedBrachyApplicationSetupSequence"):
            number = el.integer(item, "ReferencedBrachyApplicationSetupNumber")
            if number is None:
                continue
            setup = setups.get(number)
            channels = el.items(setup, "ChannelSequence")
            pulses = ((el.integer(c, "ChannelNumber"), el.positive(c, "NumberOfPulses")) for c in channels)
            yield PlannedBeam(
                beam_number=number,
                beam_name=el.text(setup, "ApplicationSetupType"),
                fraction_group_number=group_number,
                treatment_delivery_type=None,
                beam_meterset=el.sum_if_all_known(el.number(c, "ChannelTotalTime") for c in channels),
                treatment_machine_name=None,
                meterset_unit=SECONDS,
                pulses=tuple((channel, number) for channel, number in pulses if number is not None and number > 1),
                channel_times=tuple(
                    (el.integer(c, "ChannelNumber"), time)
                    for c in channels
                    if (time := el.number(c, "ChannelTotalTime")) is not None and time > 0
                ),
            )


def _predecessors(ds: Dataset) -> tuple[str, ...]:
    """PS3.3 C.8.8.9. CONCURRENT, ALTERNATIVE, VERIFIED_PLAN and PRIOR plans are other courses."""
    named = (r for r in el.items(ds, "ReferencedRTPlanSequence") if el.text(r, "RTPlanRelationship") in MADE_FROM)
    uids = _unique(uid for r in named if (uid := el.text(r, "ReferencedSOPInstanceUID")) is not None)
    return tuple(uid for uid in uids if uid != el.text(ds, "SOPInstanceUID"))


def _series_of_frame(frame: Dataset) -> Iterable[ReferencedSeries]:
    for study in el.items(frame, "RTReferencedStudySequence"):
        for series in el.items(study, "RTReferencedSeriesSequence"):
            uid = el.text(series, "SeriesInstanceUID")
            if uid is not None:
                yield ReferencedSeries(
                    series_instance_uid=uid,
                    study_instance_uid=el.text(study, "ReferencedSOPInstanceUID"),
                    sop_instance_uids=_referenced(series, "ContourImageSequence"),
                )


def _frames_of(ds: Dataset, frames: list[Dataset]) -> Iterable[str]:
    """Of the structure set, of its regions where that leaves them out, and of the object itself."""
    regions = el.items(ds, "StructureSetROISequence")
    said = [el.text(frame, "FrameOfReferenceUID") for frame in frames]
    said += [el.text(region, "ReferencedFrameOfReferenceUID") for region in regions]
    said.append(el.text(ds, "FrameOfReferenceUID"))
    yield from (uid for uid in said if uid is not None)


def _slices_of_no_series(frames: list[Dataset]) -> Iterable[str]:
    """Of items that list slices and leave out of which series."""
    for study in (s for frame in frames for s in el.items(frame, "RTReferencedStudySequence")):
        for series in el.items(study, "RTReferencedSeriesSequence"):
            if el.text(series, "SeriesInstanceUID") is None:
                yield from _referenced(series, "ContourImageSequence")


def _slices_of_contours(ds: Dataset) -> Iterable[str]:
    for roi in el.items(ds, "ROIContourSequence"):
        for contour in el.items(roi, "ContourSequence"):
            yield from _referenced(contour, "ContourImageSequence")


def _referenced(ds: Dataset | None, keyword: str) -> tuple[str, ...]:
    return _unique(
        uid for item in el.items(ds, keyword) if (uid := el.text(item, "ReferencedSOPInstanceUID")) is not None
    )


def _unique(uids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(uids))
