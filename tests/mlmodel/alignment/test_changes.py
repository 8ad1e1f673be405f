"""What can be told of a change, and when nothing can."""

import math

import pytest

from mlmodel.alignment.aligning import Alignment, AlignmentRefusal
from mlmodel.alignment.changes import (
    AREA_MARGIN,
    Basis,
    Doubt,
    Measure,
    Shown,
    Verdict,
    changes,
    colour_difference,
)
from mlmodel.alignment.similarity import Similarity
from tests.diagnosis.photographing import MEASURED

ALIGNED = Alignment(Similarity(1.0, 0.0), 80, 82, 0.002, None, scale_error=0.001, is_by_skin=True)
REFUSED = Alignment(Similarity(1.0, 0.0), 1, 40, 0.0, AlignmentRefusal.NOTHING_SHARED)
WITHOUT_SKIN = Alignment(Similarity(1.0, 0.0), 80, 82, 0.002, None)


def told(first=None, second=None, alignment=ALIGNED, *, widths=(None, None), doubts=()):
    own, other = (
        Shown({**MEASURED, **(values or {})}, mm) for values, mm in zip((first, second), widths, strict=True)
    )
    return {change.measure: change for change in changes(own, other, alignment, doubts=doubts)}


def test_a_lesion_that_grew_beyond_chance_is_larger():
    larger = told(second={"area": 0.36 * math.exp(AREA_MARGIN + 0.05)})[Measure.AREA]

    assert larger.verdict is Verdict.MORE
    assert larger.basis is Basis.SKIN
    assert larger.low > 1.0
    assert larger.value == pytest.approx(math.exp(AREA_MARGIN + 0.05))


def test_a_closer_camera_is_no_growth():
    closer = Alignment(Similarity(1.5, 0.0), 80, 82, 0.002, None, scale_error=0.001, is_by_skin=True)

    change = told({"area": 0.2}, {"area": 0.45}, closer)[Measure.AREA]

    assert change.verdict is Verdict.WITHIN
    assert change.value == pytest.approx(1.0)
    assert change.low < 1.0 < change.high


def test_equal_measures_are_within_chance_and_never_more():
    assert {change.verdict for change in told().values()} == {Verdict.WITHIN}
    assert all(change.low < change.high for change in told().values())


@pytest.mark.parametrize(
    ("first", "second", "alignment", "doubt"),
    [
        ({"doubt": "unsure"}, None, ALIGNED, Doubt.NO_OUTLINE),
        (None, {"is_cut": True, "asymmetry": None, "border": None}, ALIGNED, Doubt.CUT_OFF),
        (None, {"diameter": 0.1}, ALIGNED, Doubt.SMALL),
        (None, None, REFUSED, Doubt.NOT_ALIGNED),
        (None, None, None, Doubt.NOT_ALIGNED),
        (None, None, WITHOUT_SKIN, Doubt.NO_SCALE),
    ],
)
def test_area_that_cannot_be_told_has_no_value(first, second, alignment, doubt):
    change = told(first, second, alignment)[Measure.AREA]

    assert change.verdict is Verdict.UNKNOWN
    assert change.value is None
    assert doubt in change.doubts


def test_stated_widths_do_without_alignment():
    change = told(alignment=REFUSED, widths=(10.0, 20.0))[Measure.AREA]

    assert change.verdict is Verdict.MORE
    assert change.basis is Basis.WIDTHS
    assert change.value == pytest.approx(4.0)


def test_widths_that_contradict_the_skin_tell_nothing():
    change = told(widths=(10.0, 20.0))[Measure.AREA]

    assert change.doubts == (Doubt.WIDTHS_DISAGREE,)
    assert change.value is None


def test_doubts_hold_for_every_measure():
    for change in told(doubts=[Doubt.DIFFERENT_KINDS]).values():
        assert change.verdict is Verdict.UNKNOWN
        assert change.doubts == (Doubt.DIFFERENT_KINDS,)


def test_another_magnification_hides_detail_and_not_area():
    closer = Alignment(Similarity(2.5, 0.0), 80, 82, 0.002, None, scale_error=0.001, is_by_skin=True)
    change = told({"area": 0.06, "diameter": 0.25}, {"area": 0.375}, closer)

    assert change[Measure.AREA].verdict is Verdict.WITHIN
    for measure in (Measure.COLOUR, Measure.ASYMMETRY, Measure.BORDER):
        assert Doubt.MAGNIFICATION in change[measure].doubts


def test_colours_differ_by_the_share_that_has_another():
    brown = {"white": 0.0, "red": 0.04, "light_brown": 0.61, "dark_brown": 0.25, "blue_grey": 0.0, "black": 0.0}
    blue = {**brown, "light_brown": 0.31, "blue_grey": 0.3}

    assert colour_difference(brown, brown) == 0.0
    assert colour_difference(brown, blue) == pytest.approx(0.3)
    assert colour_difference(blue, brown) == pytest.approx(0.3)
