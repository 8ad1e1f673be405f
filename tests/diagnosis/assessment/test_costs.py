"""What a threshold costs, in words: a range where clinics differ."""

from dataclasses import replace

import pytest

from diagnosis.assessment.threshold_costs import cost_of, in_hundred
from diagnosis.images.models import Tier
from mlmodel.network.tiers import OperatingPoint, OperatingPoints

URGENT = OperatingPoint(0.5, sensitivity=0.80, melanoma_sensitivity=0.70, specificity=0.90)
WATCH = OperatingPoint(0.1, sensitivity=0.95, melanoma_sensitivity=0.93, specificity=0.60)


@pytest.mark.parametrize(
    ("shares", "said"),
    [((0.82, 0.82), "82"), ((0.5, 0.93), "50 to 93"), ((0.9301, 0.9299), "93"), ((0, 1), "0 to 100")],
)
def test_shares_are_said_in_a_hundred(shares, said):
    assert in_hundred(*shares) == said


def test_what_is_missed_is_the_rest():
    assert in_hundred(0.5, 0.93, is_missed=True) == "7 to 50"


def test_one_source_is_no_range():
    said = cost_of(Tier.CALM, OperatingPoints(URGENT, WATCH))
    assert " 7 of 100 melanomas" in said
    assert " 5 of 100 malignant" in said
    assert "depending" not in said


def test_a_calm_answer_says_how_much_is_missed_where_the_network_does_worst():
    elsewhere = replace(WATCH, least_sensitivity=0.85, least_melanoma_sensitivity=0.70, least_specificity=0.40)
    points = OperatingPoints(URGENT, elsewhere)
    calm = cost_of(Tier.CALM, points)
    assert "7 to 30 of 100 melanomas" in calm
    assert "5 to 15 of 100 malignant" in calm
    watch = cost_of(Tier.WATCH, points)
    assert "finds 70 to 93 of 100 melanomas" in watch
    assert "flags 40 to 60 of 100 benign" in watch
    assert all("depending on whose photographs" in said for said in (calm, watch))
    assert "depending" not in cost_of(Tier.URGENT, points)
    assert cost_of(Tier.CALM, points, are_chosen=True).startswith(calm)


def test_a_range_that_is_one_number_as_it_is_said_is_no_range():
    same = replace(WATCH, least_melanoma_sensitivity=0.9299)
    assert "depending" not in cost_of(Tier.CALM, OperatingPoints(URGENT, same))


def test_few_that_are_missed_are_not_said_to_be_none():
    assert in_hundred(0.997, 0.999, is_missed=True) == "fewer than 1"
    assert in_hundred(0.98, 0.999, is_missed=True) == "0 to 2"
    # Nor are all said to be found while some are missed.
    assert in_hundred(0.95, 0.996) == "95 to 99"
    assert in_hundred(0.996, 1) == "99 to 100"
    assert in_hundred(1, 1, is_missed=True) == "0"
