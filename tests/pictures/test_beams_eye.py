"""The beam's-eye view: jaws, leaves and angles as the plan says them, and as they are drawn."""

from __future__ import annotations

import re

import pytest

from recovery.pictures.beams_eye import BeamsEyeView, beams_eye_views
from recovery.pictures.drawing_beam import angles_in_words, draw_beams_eye_view
from tests.objects import item, plan
from tests.pictures.objects import beam, plan_with, positions_of

MLC = item(RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=4, LeafPositionBoundaries=[-20, -10, 0, 10, 20])
JAWS = {"ASYMX": [-30.0, 45.0], "ASYMY": [-20.0, 15.0]}
LEAVES = {"MLCX": [-5.0, -15.0, -25.0, -1.0, 5.0, 20.0, 40.0, 1.0]}


def view_of(*points: dict, devices: tuple = (MLC,), **elements: object) -> BeamsEyeView:
    (view,) = beams_eye_views(plan_with(beam(points, devices, **elements)))
    return view


def test_jaws_and_leaves_are_read_in_mm_pair_by_pair() -> None:
    view = view_of({
        "GantryAngle": 30.0, "GantryRotationDirection": "NONE", "BeamLimitingDeviceAngle": 12.5,
        "PatientSupportAngle": 355.0, "IsocenterPosition": [1.0, 2.0, 3.0],
        "BeamLimitingDevicePositionSequence": positions_of(**JAWS, **LEAVES),
    })  # fmt: skip
    assert (view.x_jaws, view.y_jaws) == ((-30, 45), (-20, 15))
    (bank,) = view.leaf_banks
    assert bank.moves_in_x
    assert bank.boundaries == (-20, -10, 0, 10, 20)
    assert bank.pairs == ((-5, 5), (-15, 20), (-25, 40), (-1, 1))
    assert view.isocenter_position == (1, 2, 3)
    assert view.remarks == ()
    assert angles_in_words(view) == ["gantry 30.0°", "collimator 12.5°", "couch 355.0°"]


def test_a_leaf_is_drawn_between_its_boundaries_up_to_its_position_and_turned_with_the_collimator() -> None:
    view = view_of(
        {"BeamLimitingDeviceAngle": 30.0, "BeamLimitingDevicePositionSequence": positions_of(**JAWS, **LEAVES)}
    )
    svg = draw_beams_eye_view(view)
    assert '<g transform="rotate(-30.00) scale(1,-1)">' in svg
    leaves = re.findall(r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)" fill="#4B5563"', svg)
    edges = {(float(x), float(y), round(float(x) + float(w), 2), float(y) + float(h)) for x, y, w, h in leaves}
    far = (45 + 25) * 1.5
    assert (-far, -20, -5, -10) in edges
    assert (40, 0, far, 10) in edges
    assert len(edges) == 8


def test_an_mlc_that_moves_along_y_is_drawn_so() -> None:
    device = item(RTBeamLimitingDeviceType="MLCY", LeafPositionBoundaries=[-10, 0, 10])
    view = view_of({"BeamLimitingDevicePositionSequence": positions_of(MLCY=[-5.0, -6.0, 5.0, 6.0])}, devices=(device,))
    assert not view.leaf_banks[0].moves_in_x
    assert re.search(r'x="0.00" y="6.00" width="10.00" height="\S+" fill="#4B5563"', draw_beams_eye_view(view))


@pytest.mark.parametrize(
    ("angles", "direction", "travel", "words"),
    [
        ((181.0, 270.0, 0.0, 179.0), "CW", 358, "gantry 181.0° to 179.0° CW (358°)"),
        ((179.0, 90.0, 0.0, 181.0), "CC", 358, "gantry 179.0° to 181.0° CCW (358°)"),
        ((300.0, 20.0), "CW", 80, "gantry 300.0° to 20.0° CW (80°)"),
        ((90.0,), "NONE", 0, "gantry 90.0°"),
    ],
)
def test_an_arc_is_followed_from_point_to_point(angles: tuple, direction: str, travel: float, words: str) -> None:
    view = view_of(*({"GantryAngle": angle, "GantryRotationDirection": direction} for angle in angles))
    assert view.gantry_travel == pytest.approx(travel)
    assert angles_in_words(view)[0] == words


def test_what_the_plan_does_not_say_is_a_dash_not_a_zero() -> None:
    view = view_of({"ControlPointIndex": 0}, devices=())
    assert angles_in_words(view) == ["gantry —", "collimator —", "couch —"]
    assert view.remarks == ("The plan says no jaw and no leaf positions.",)


def test_leaf_positions_that_do_not_fit_their_boundaries_are_not_drawn() -> None:
    view = view_of({"BeamLimitingDevicePositionSequence": positions_of(MLCX=[-1.0, 1.0])})
    assert not view.leaf_banks
    assert "MLCX has 2 positions for 4 leaf pairs, and is not drawn" in view.remarks[0]


def test_an_open_field_says_that_it_has_no_mlc() -> None:
    view = view_of({"BeamLimitingDevicePositionSequence": positions_of(**JAWS)}, devices=())
    assert view.remarks == ("No MLC in this beam.",)


def test_an_ion_beam_says_that_it_has_no_mlc_and_shows_its_spots() -> None:
    ions = item(
        BeamNumber=1, BeamName="P1", RadiationType="PROTON",
        IonControlPointSequence=[item(GantryAngle=65.0, ScanSpotPositionMap=[-20.0, 5.0, 20.0, -5.0])],
    )  # fmt: skip
    ds = plan({1: 100.0})
    del ds.BeamSequence
    ds.IonBeamSequence = [ions]
    (view,) = beams_eye_views(ds)
    assert view.remarks == ("Ion beam: no jaws and no MLC; 2 spot positions of the first control point are drawn.",)
    assert '<circle cx="20.00" cy="5.00"' in draw_beams_eye_view(view)  # y up in the beam, down in the picture
