"""A lesion over time: what changed in words, lines by version, and photographs that could not be judged."""

import datetime
import json
import re
from decimal import Decimal

import pytest
from django.conf import settings
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.assessment.photographs import photographs
from diagnosis.images.models import ExclusionReason, Image
from diagnosis.measures.services import state_scale
from diagnosis.outcomes.closures import close_lesion, reopen_lesion
from diagnosis.outcomes.specimens import withdraw_specimen
from diagnosis.record.timeline.page import timeline_of
from diagnosis.record.timeline.same_lesion_spread import LOG_ODDS, is_within_spread, range_of_another_photograph
from diagnosis.reviews.services import record_review
from mlmodel.alignment.changes import Measure, Shown, Verdict, changes
from mlmodel.taxonomy import CODES
from tests.diagnosis.outcomes.records import confirmed, sent
from tests.diagnosis.photographing import measured_as
from tests.factories import (
    ImageFactory,
    LesionFactory,
    ModelVersionFactory,
    PredictionFactory,
    VisitFactory,
)
from tests.hooks import wording

MARCH, JUNE = datetime.date(2026, 3, 3), datetime.date(2026, 6, 9)
FORBIDDEN = re.compile(r"\bno change|unchanged|not changed|\bstable\b|\bstayed\b|\bsame\b(?! lesion)", re.IGNORECASE)


@pytest.fixture
def lesion(patient):
    return LesionFactory(patient=patient)


def photographed(lesion, on, malignant=None, *, tier="watch", version=None, **image):
    """Add a photograph of that day, with an answer unless ``malignant`` is None."""
    visit = VisitFactory(patient=lesion.patient, date=on)
    row = ImageFactory(lesion=lesion, visit=visit, **image)
    if malignant is not None:
        shares = dict.fromkeys(CODES, 0.0) | {"mel": malignant, "nv": 1 - malignant}
        prediction = PredictionFactory.build(
            image=row, model_version=version or ModelVersionFactory(), code="mel", tier=tier
        )
        for name, value in {
            **shares,
            "mel": malignant,
            "nv": 1 - malignant,
            "malignant_probability": malignant,
        }.items():
            setattr(prediction, name, value)
        prediction.save()
    return row


def timeline(lesion):
    return timeline_of(lesion, photographs(Image.objects.in_use().filter(lesion=lesion)))


def change(lesion):
    return timeline(lesion).change


def measured(image, by, *, area, width_mm):
    measured_as(image, area=area)
    state_scale(image=image, by=by, width_mm=Decimal(width_mm))


def test_a_rise_in_numbers(lesion, staff):
    measured(photographed(lesion, MARCH, 0.02), staff, area=0.2, width_mm=14)
    measured(photographed(lesion, JUNE, 0.39, tier="urgent"), staff, area=0.28, width_mm=14)

    shown = change(lesion)
    assert shown.sentence.startswith(
        "Since 3 March 2026 the malignant probability rose from 2 to 39 in 100 and the area grew by about 40\u00a0% "
        "(between 3 and 90\u00a0%)."
    )
    assert wording("See a dermatologist within two weeks") in shown.sentence
    assert shown.tone == "urgent"
    assert shown.doubts == ()


def test_a_difference_of_one_day_is_called_so_and_never_no_change(lesion):
    photographed(lesion, MARCH, 0.04)
    photographed(lesion, JUNE, 0.19)

    shown = change(lesion)
    assert "was 4 in 100 then and is 19 in 100 now" in shown.sentence
    assert wording("no more than those to photographs of a single day") in shown.doubts[0]
    assert shown.tone == ""


@pytest.mark.parametrize(
    ("before", "after"), [(0.04, 0.04), (0.04, 0.05), (0.3, 0.02), (0.001, 0.002), (0.995, 0.999)]
)
def test_it_never_says_that_nothing_changed(lesion, staff, before, after):
    measured(photographed(lesion, MARCH, before), staff, area=0.2, width_mm=14)
    measured(photographed(lesion, JUNE, after), staff, area=0.2, width_mm=14)

    shown = change(lesion)
    assert shown.sentence
    assert not FORBIDDEN.search(shown.sentence)
    assert shown.tone != "calm"


DIRECTION = re.compile(r"\b(grew|shrank|rose|fell)\b")


@pytest.mark.parametrize("ratio", [0.75, 0.99, 1.0, 1.01, 1.12, 1.35])
def test_an_area_within_the_spread_neither_grew_nor_shrank(lesion, staff, ratio):
    measured(photographed(lesion, MARCH, 0.02), staff, area=0.2, width_mm=14)
    measured(photographed(lesion, JUNE, 0.02), staff, area=0.2 * ratio, width_mm=14)

    shown = change(lesion)
    assert not DIRECTION.search(shown.sentence)
    assert not FORBIDDEN.search(shown.sentence)
    assert "cannot be told" in shown.sentence
    assert "36\u00a0%" in shown.sentence


@pytest.mark.parametrize(("ratio", "word"), [(0.7, "shrank"), (1.4, "grew")])
def test_an_area_beyond_the_spread_is_named_with_its_range(lesion, staff, ratio, word):
    measured(photographed(lesion, MARCH, 0.02), staff, area=0.2, width_mm=14)
    measured(photographed(lesion, JUNE, 0.02), staff, area=0.2 * ratio, width_mm=14)

    assert DIRECTION.findall(change(lesion).sentence) == [word]
    assert "between" in change(lesion).sentence


@pytest.mark.parametrize(("before", "after"), [(0.04, 0.19), (0.19, 0.04), (0.2, 0.21)])
def test_an_answer_within_the_spread_neither_rose_nor_fell(lesion, before, after):
    photographed(lesion, MARCH, before)
    photographed(lesion, JUNE, after)

    assert not DIRECTION.search(change(lesion).sentence)


@pytest.mark.parametrize("ratio", [0.6, 0.75, 1.0, 1.3, 1.5])
def test_the_comparison_of_two_photographs_calls_the_same_a_change(lesion, staff, ratio):
    first, second = photographed(lesion, MARCH, 0.02), photographed(lesion, JUNE, 0.02)
    measured(first, staff, area=0.2, width_mm=14)
    measured(second, staff, area=0.2 * ratio, width_mm=14)

    values = [image.measurements.get().values for image in (first, second)]
    area = next(
        each
        for each in changes(Shown(values[0], 14.0), Shown(values[1], 14.0), None)
        if each.measure is Measure.AREA and not each.doubts
    )
    assert bool(DIRECTION.search(change(lesion).sentence)) == (area.verdict is not Verdict.WITHIN)


def test_photographs_come_first_then_the_change_then_the_curves(sign_in, staff, lesion):
    photographed(lesion, MARCH, 0.04)
    photographed(lesion, JUNE, 0.05)
    html = sign_in(staff).get(reverse("lesion", args=[lesion.pk])).content.decode()
    places = [html.index(f'id="{name}"') for name in ("photographs", "change", "plan", "probability", "abcd")]
    assert places == sorted(places)


def test_each_measure_says_what_it_cannot_show(lesion, staff):
    for day in (MARCH, JUNE):
        measured(photographed(lesion, day, 0.02), staff, area=0.2, width_mm=14)

    hints = {chart.slug: chart.hint for chart in timeline(lesion).measures}
    assert "36" in hints["area-mm2"]
    assert all(re.search(r"\d", hint) for hint in hints.values())


def test_a_higher_tier_is_named_however_small_the_difference(lesion):
    photographed(lesion, MARCH, 0.20, tier="watch")
    photographed(lesion, JUNE, 0.23, tier="urgent")

    shown = change(lesion)
    assert wording("See a dermatologist within two weeks") in shown.sentence
    assert shown.tone == "urgent"


def test_areas_need_a_stated_width_on_both_days(lesion, staff):
    measured(photographed(lesion, MARCH, 0.02), staff, area=0.2, width_mm=14)
    measured_as(photographed(lesion, JUNE, 0.02), area=0.4)

    shown = change(lesion)
    assert "area" not in shown.sentence
    assert any("stated width" in doubt for doubt in shown.doubts)


def test_an_area_that_is_cut_off_is_not_compared(lesion, staff):
    measured(photographed(lesion, MARCH, 0.02), staff, area=0.2, width_mm=14)
    image = photographed(lesion, JUNE, 0.02)
    measured_as(image, area=0.4, is_cut=True)
    state_scale(image=image, by=staff, width_mm=Decimal(14))

    assert "area" not in change(lesion).sentence


def test_a_malignant_label_leads(lesion, dermatologist):
    image = photographed(lesion, MARCH, 0.3)
    photographed(lesion, JUNE, 0.02, tier="calm")
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain", basis="histopathology")

    shown = change(lesion)
    assert "Melanoma" in shown.lead
    assert shown.tone == "urgent"


def test_a_newest_photograph_without_an_answer_leads_and_nothing_is_compared(lesion):
    photographed(lesion, MARCH, 0.3)
    photographed(lesion, JUNE, None, verdict="blurred")

    shown = change(lesion)
    assert "9 June 2026" in shown.lead
    assert shown.sentence == ""
    assert shown.tone == "watch"


def test_one_day_has_nothing_to_compare(lesion):
    photographed(lesion, MARCH, 0.3)
    photographed(lesion, MARCH, 0.03)

    assert change(lesion).sentence == ""
    assert change(lesion).doubts


def test_the_most_suspicious_photograph_of_a_day_counts(lesion):
    photographed(lesion, MARCH, 0.02)
    photographed(lesion, JUNE, 0.02)
    photographed(lesion, JUNE, 0.6, tier="urgent")

    assert "rose from 2 to 60 in 100" in change(lesion).sentence


def test_answers_of_different_versions_are_not_compared_nor_joined(lesion):
    new = ModelVersionFactory(name="newer", sha256="d" * 64)
    photographed(lesion, MARCH, 0.02)
    photographed(lesion, JUNE, 0.6, version=new)

    shown = timeline(lesion)
    assert shown.change.sentence == ""
    assert "different networks" in shown.change.doubts[0]
    lines = shown.probability.figures["lines"]
    assert [(line["name"], line["isFirst"]) for line in lines] == [("newer", True), ("invented", False)]
    assert [[point["value"] for point in line["points"]] for line in lines] == [[None, 60.0], [2.0, None]]


def test_a_photograph_that_could_not_be_judged_is_a_gap_and_a_mark(lesion, staff):
    photographed(lesion, MARCH, 0.02)
    photographed(lesion, JUNE, 0.01, verdict="blurred")  # analysed although it was refused
    photographed(lesion, JUNE, 0.02, measures={"smartphone": 1.0})

    figures = timeline(lesion).probability.figures
    assert [point["value"] for point in figures["lines"][0]["points"]] == [2.0, None, None]
    assert [event["kind"] for event in figures["events"]].count("not_judged") == 2


def test_excluded_photographs_are_marks_only(lesion, staff):
    photographed(lesion, MARCH, 0.02)
    exclude_image(image=photographed(lesion, JUNE, 0.9), by=staff, reason=ExclusionReason.OTHER_LESION)

    figures = timeline(lesion).probability.figures
    assert [point["value"] for point in figures["lines"][0]["points"]] == [2.0]
    assert "excluded" in [event["kind"] for event in figures["events"]]


def test_reviews_and_labels_are_marked(lesion, dermatologist):
    record_review(image=photographed(lesion, MARCH, 0.2), reviewer=dermatologist, answer="nv", certainty="certain")

    kinds = [event["kind"] for event in timeline(lesion).probability.figures["events"]]
    assert sorted(kinds) == ["benign", "review"]


def test_specimens_results_and_closures_are_marked_with_a_shape_of_their_own(sign_in, lesion, staff, dermatologist):
    photographed(lesion, MARCH, 0.2)
    confirmed(sent(lesion, staff, age=30), dermatologist, "nv")
    withdraw_specimen(specimen=sent(lesion, staff), by=staff, reason="Recorded twice.")
    confirmed(sent(lesion, staff, age=9, kind="excision"), dermatologist, "nv")
    close_lesion(lesion=lesion, by=dermatologist, why="excised")
    reopen_lesion(lesion=lesion, by=dermatologist, reason="It has come back.")
    page = sign_in(staff).get(lesion.get_absolute_url())
    events = page.context["timeline"].probability.figures["events"]
    own = [event["kind"] for event in events if event["kind"] in ("sent", "result", "excised", "closed")]
    assert own == ["sent", "excised", "result", "result", "closed", "closed"]
    script = (settings.BASE_DIR / "static/js/timeline.js").read_text()
    marks = {kind: re.search(rf'\b{kind}: "(M[^"]+)"', script) for kind in set(own)}
    for kind, found in marks.items():
        assert found is not None, kind
        assert page.text.count(f'd="{found[1]}"') == own.count(kind)


def test_the_spread_is_symmetrical_in_odds():
    low, high = range_of_another_photograph(0.1)

    assert is_within_spread(0.1, high - 0.001)
    assert not is_within_spread(0.1, high + 0.01)
    assert 0 < low < 0.1 < high < 1
    assert LOG_ODDS > 0
    assert range_of_another_photograph(0.0001)[0] <= 0.0001


def test_the_page_holds_the_figures_as_tables(sign_in, staff, lesion):
    photographed(lesion, MARCH, 0.04)
    photographed(lesion, JUNE, None, verdict="blurred")
    html = sign_in(staff).get(reverse("lesion", args=[lesion.pk])).content.decode()

    (stored,) = re.findall(r'id="probability-figures"[^>]*>(.*?)</script>', html, re.DOTALL)
    figures = json.loads(stored)
    assert figures["lines"][0]["points"][0]["on"] == "2026-03-03"
    assert re.search(r"<details class=\"watch-table\" open>.*3 March 2026.*4\xa0%", html, re.DOTALL)


def test_a_lesion_without_photographs_has_no_timeline(sign_in, staff, lesion):
    response = sign_in(staff).get(reverse("lesion", args=[lesion.pk]))

    assert response.status_code == 200
    assert response.context["timeline"] is None
