"""Which beams a plan treats with, and which objects it needs."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread

from recovery.dicom.plans import FractionGroup, Plan, StructureSet
from tests import objects as o
from tests.recovery.courses import as_plan, reread

BRACHY_PLAN_ITEMS = {
    "FractionGroupSequence": [
        o.item(
            FractionGroupNumber=1,
            NumberOfFractionsPlanned=4,
            ReferencedBrachyApplicationSetupSequence=[o.item(ReferencedBrachyApplicationSetupNumber=1)],
        )
    ],
    "ApplicationSetupSequence": [
        o.item(
            ApplicationSetupNumber=1,
            ApplicationSetupType="FLETCHER_SUIT",
            ChannelSequence=[o.item(ChannelTotalTime=120.0), o.item(ChannelTotalTime=80.0)],
        )
    ],
}


def group(number: int | None, fractions: int | None, metersets: dict[int, float]) -> o.Dataset:
    ds = o.item(ReferencedBeamSequence=[o.item(ReferencedBeamNumber=n, BeamMeterset=m) for n, m in metersets.items()])
    ds.FractionGroupNumber = number
    ds.NumberOfFractionsPlanned = fractions
    return ds


def test_a_plan_reads_its_beams_with_their_metersets() -> None:
    plan = as_plan(o.plan({1: 100.5, 2: None, 9: 3.0}, delivery_types={9: "SETUP"}))
    assert [(b.beam_number, b.beam_meterset, b.treatment_delivery_type) for b in plan.beams] == [
        (1, 100.5, "TREATMENT"), (2, None, "TREATMENT"), (9, 3.0, "SETUP")
    ]  # fmt: skip
    assert plan.number_of_fractions_planned == 20
    assert (plan.rt_plan_label, plan.approval_status, plan.beams[0].treatment_machine_name) == (
        "Prost",
        "APPROVED",
        "TB1",
    )


def test_an_ion_plan_reads_its_beams() -> None:
    ds = o.plan({1: 60.0}, sop_class_uid="1.2.840.10008.5.1.4.1.1.481.8")
    ds.IonBeamSequence = ds.BeamSequence
    del ds.BeamSequence
    [beam] = as_plan(ds).beams
    assert (beam.beam_number, beam.beam_meterset, beam.beam_name) == (1, 60.0, "Field 1")


def test_a_brachytherapy_plan_reads_the_seconds_of_its_channels() -> None:
    plan = as_plan(o.plan({}, **BRACHY_PLAN_ITEMS))
    [setup] = plan.beams
    assert (setup.beam_number, setup.beam_meterset, setup.beam_name) == (1, 200.0, "FLETCHER_SUIT")
    assert plan.number_of_fractions_planned == 4


def test_the_planned_number_is_none_where_the_plan_leaves_it_empty() -> None:
    assert as_plan(o.plan({1: 100.0}, fractions=None)).number_of_fractions_planned is None


@pytest.mark.parametrize(("numbers", "planned"), [((25, 5), 30), ((25, None), None), ((), None)])
def test_the_planned_number_is_over_all_fraction_groups_or_none(
    numbers: tuple[int | None, ...], planned: int | None
) -> None:
    groups = [group(n, count, {1: 100.0}) for n, count in enumerate(numbers, start=1)]
    plan = as_plan(o.plan({1: 100.0}, FractionGroupSequence=groups))
    assert plan.number_of_fractions_planned == planned
    assert plan.fraction_groups == tuple(FractionGroup(n, count) for n, count in enumerate(numbers, start=1))


def test_a_beam_in_two_fraction_groups_is_planned_in_each() -> None:
    plan = as_plan(o.plan({1: 1.0}, FractionGroupSequence=[group(1, 25, {1: 100.0}), group(2, 5, {1: 80.0})]))
    assert [(b.fraction_group_number, b.beam_meterset) for b in plan.beams] == [(1, 100.0), (2, 80.0)]


def test_a_label_of_five_thousand_characters_and_a_meterset_of_garbage_hide_nothing_else() -> None:
    ds = o.plan({1: 100.0, 2: 50.0}, RTPlanLabel="L" * 5000)
    plan = as_plan(ds)
    assert plan.rt_plan_label == "L" * 5000
    garbage = o.encode(ds).replace(b"50.0", b"5O,o")
    read = Plan.from_dataset(dcmread(BytesIO(garbage)))
    assert [(b.beam_number, b.beam_meterset) for b in read.beams] == [(1, 100.0), (2, None)]


def test_a_group_that_names_a_beam_that_the_plan_lacks_keeps_its_meterset() -> None:
    plan = as_plan(o.plan({1: 100.0}, BeamSequence=[]))
    assert [(b.beam_number, b.beam_meterset, b.beam_name) for b in plan.beams] == [(1, 100.0, None)]


def test_a_plan_names_its_structure_set_doses_and_reference_images_once_each() -> None:
    image = o.item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.481.1", ReferencedSOPInstanceUID="1.2.30")
    ds = o.plan({1: 100.0, 2: 100.0}, structure_set_uid="1.2.10")
    for beam in ds.BeamSequence:
        beam.ReferencedReferenceImageSequence = [image]
    ds.ReferencedDoseSequence = [o.item(ReferencedSOPInstanceUID="1.2.20"), o.item(ReferencedSOPInstanceUID="")]
    plan = as_plan(ds)
    assert (plan.structure_set_uids, plan.dose_uids, plan.reference_image_uids) == (
        ("1.2.10",),
        ("1.2.20",),
        ("1.2.30",),
    )


def test_a_structure_set_names_its_frames_series_and_slices() -> None:
    slices = o.images(3)
    read = StructureSet.from_dataset(reread(o.structure_set(slices)))
    assert read.frame_of_reference_uids == (slices[0].FrameOfReferenceUID,)
    [series] = read.image_series
    assert series.series_instance_uid == slices[0].SeriesInstanceUID
    assert series.sop_instance_uids == tuple(s.SOPInstanceUID for s in slices)


def test_slices_of_a_series_that_is_not_named_are_needed_all_the_same() -> None:
    one = o.structure_set(o.images(2))
    listed = one.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence
    listed.append(o.item(ContourImageSequence=[o.item(ReferencedSOPInstanceUID="1.2.99")]))
    read = StructureSet.from_dataset(reread(one))
    assert read.contour_image_uids == ("1.2.99",)
    assert len(read.image_series[0].sop_instance_uids) == 2


def test_slices_that_only_contours_name_belong_to_the_one_referenced_series() -> None:
    contour = o.item(ContourImageSequence=[o.item(ReferencedSOPInstanceUID="1.2.99")])
    contours = [o.item(ContourSequence=[contour])]
    one = o.structure_set(o.images(1), ROIContourSequence=contours)
    assert StructureSet.from_dataset(reread(one)).image_series[0].sop_instance_uids[-1] == "1.2.99"
    two = o.structure_set(o.images(1), ROIContourSequence=contours)
    two.ReferencedFrameOfReferenceSequence.append(o.structure_set(o.images(1)).ReferencedFrameOfReferenceSequence[0])
    series = StructureSet.from_dataset(reread(two)).image_series
    assert all("1.2.99" not in s.sop_instance_uids for s in series)
