"""What the watch's pages and /metrics say: latency, the queue's age, calibration by version, drift by clinic."""

import json
import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.images.models import ImageFeatures, Prediction
from diagnosis.monitoring.activity import days_of, queue_of
from diagnosis.monitoring.days import store_day
from diagnosis.monitoring.label_agreement import Released, released_calibration
from diagnosis.monitoring.models import MonitoringDay
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.services import record_review
from mlmodel.releases.release import load_release
from mlmodel.versions.serving import active_version
from tests import factories
from tests.diagnosis.monitoring.test_watch import photographs
from tests.hooks import codes

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db):
    return factories.UserFactory(is_superuser=True, is_staff=True)


def waits(clinic, *, days: float, reason: str = "no_label") -> QueueEntry:
    image = factories.ImageFactory(lesion__patient__clinic=clinic)
    return QueueEntry.objects.create(
        image=image, clinic=clinic, state="waiting", reason=reason, reasons=[reason], needs=1, priority=100,
        entered_at=timezone.now() - timedelta(days=days),
    )  # fmt: skip


def judged_in(clinic, *seconds: float, **values) -> None:
    lesion = factories.LesionFactory(patient__clinic=clinic)
    visit = factories.VisitFactory(patient=lesion.patient)
    for each in seconds:
        image = factories.ImageFactory(lesion=lesion, visit=visit, features=None)
        factories.PredictionFactory(image=image, duration=timedelta(seconds=each), **values)


def test_a_day_has_its_median_and_its_95th_percentile(clinic, other_clinic):
    judged_in(clinic, *[0.1] * 12, *[0.4] * 7, 8)
    judged_in(clinic, 90, was_rescored=True)
    judged_in(other_clinic, 90)
    yesterday, today = days_of(clinic, days=2)
    assert (today.median_seconds, today.p95_seconds) == (0.1, 0.4)
    assert (yesterday.predictions, yesterday.median_seconds, yesterday.p95_seconds) == (0, 0, 0)


def test_the_queue_is_counted_by_age(clinic, other_clinic):
    for days in (0.5, 2, 2, 8, 40):
        waits(clinic, days=days)
    waits(clinic, days=40, reason="urgent")
    waits(other_clinic, days=90)
    queue = queue_of(clinic)
    assert queue.ages == [(1, 0), (2, 0), (0, 0), (1, 0), (0, 0), (2, 1)]
    assert (queue.waiting, round(queue.oldest_days), round(queue.median_days)) == (6, 40, 8)
    assert (queue_of(None).waiting, round(queue_of(None).oldest_days)) == (7, 90)


def test_the_charts_have_intervals_and_what_was_stated_at_release(clinic, dermatologist, sign_in):
    retrained = factories.ModelVersionFactory(
        name="retrained",
        sha256="d" * 64,
        settings={"locked_test": {"lesions": {"calibration_error": {"value": 0.031}}}},
    )
    for version in (active_version(), retrained):
        prediction = factories.PredictionFactory(image__lesion__patient__clinic=clinic, model_version=version)
        record_review(image=prediction.image, reviewer=dermatologist, answer="nv", certainty="certain")
    page = sign_in(dermatologist).get(reverse("watch")).content.decode()
    agreement, calibration = (_figures(page, slug) for slug in ("agreement", "calibration"))
    assert (agreement["unit"], agreement["suffix"], agreement["top"]) == ("Agreement", " %", 100)
    assert agreement["limit"] == {"value": 50, "words": "limit 50 %"}
    assert [row["value"] for row in agreement["rows"]] == [100, 100]
    assert [row["interval"] for row in agreement["rows"]] == [[pytest.approx(20.7, abs=0.1), 100]] * 2
    assert agreement["rows"][0]["words"] == "100 % (21–100 %), 1 of 1"
    active, other = sorted(agreement["rows"], key=lambda row: row["isReference"])
    assert active["label"] == f"{active['tick']}, {active_version().name}"
    assert (active["isReference"], other["isReference"], other["label"]) == (
        False, True, f"{other['tick']}, retrained",
    )  # fmt: skip
    assert calibration["limit"] is None
    shipped = load_release().settings["locked_test"]["photographs"]["calibration_error"]
    errors = {row["label"]: row for row in calibration["rows"]}
    here, released = (errors[f"{active_version().name}, {where}"] for where in ("here", "at release"))
    assert [(row["isReference"], round(row["value"], 4)) for row in (here, released)] == [
        (False, 0.3),
        (True, shipped["value"]),
    ]
    assert released["interval"] == pytest.approx([shipped["low"], shipped["high"]])
    stated = errors["retrained, at release"]
    assert (stated["isReference"], stated["value"]) == (True, 0.031)
    assert stated["interval"] is None, "no interval is drawn that nobody has measured"
    section = _section(page, "calibration")
    stated_in_words = f"{shipped['value']:.3f} ({shipped['low']:.3f}–{shipped['high']:.3f}), by photograph"
    assert stated_in_words in section
    assert "0.031, by lesion" in section


def test_days_of_which_nothing_is_known_keep_their_place_and_have_no_bar(clinic, manager, sign_in):
    judged_in(clinic, 0.2, 0.2, 0.5, tier="urgent")
    today = timezone.localdate()
    compared = {"photographs": 120, "limit": 2.0, "stability_index": 0.1, "waiting": 4}
    kept(clinic, day=today - timedelta(days=2), distance=1.0, oldest_days=3.0, median_days=1.5, **compared)
    kept(clinic, photographs=20, distance=0.4, stability_index=0.1)
    page = sign_in(manager).get(reverse("watch")).content.decode()

    drift, oldest, urgent, seconds = (
        _figures(page, slug) for slug in ("drift-by-day", "queue-oldest", "urgent", "seconds")
    )
    assert [row["value"] for row in drift["rows"]] == [50, None, None]
    assert [row["words"] for row in drift["rows"][1:]] == ["not checked", "too few photographs to tell"]
    assert [(row["value"], row["mark"]) for row in oldest["rows"]] == [(3, 1.5), (None, None), (0, 0)]
    assert {row["value"] for row in urgent["rows"][:-1]} == {None}
    assert urgent["rows"][-1]["value"] == 100
    assert (seconds["rows"][-1]["value"], seconds["rows"][-1]["mark"], seconds["limit"]) == (0.5, 0.2, None)


def test_a_slow_day_is_shown_with_the_limit(clinic, manager, sign_in):
    judged_in(clinic, 2)
    seconds = _figures(sign_in(manager).get(reverse("watch")).content.decode(), "seconds")
    assert (seconds["unit"], seconds["limit"]) == ("Seconds", {"value": 3, "words": "limit 3 s"})


def test_the_table_repeats_the_figures_of_its_chart(clinic, manager, sign_in):
    for days in (0.5, 2, 40):
        waits(clinic, days=days)
    page = sign_in(manager).get(reverse("watch")).content.decode()
    rows = re.findall(r'<th scope="row">(.*?)</th>\s*<td class="number">(.*?)</td>', _section(page, "queue-ages"))
    assert rows == [(row["label"], row["words"]) for row in _figures(page, "queue-ages")["rows"]]
    assert [row["value"] for row in _figures(page, "queue-ages")["rows"]] == [1, 1, 0, 0, 0, 1]


def test_a_version_that_states_nothing_has_no_release_figure():
    assert released_calibration({}) is None
    assert released_calibration({"locked_test": {"lesions": {}}}) is None
    both = {"photographs": {"calibration_error": {"value": 0.02, "low": 0.01, "high": 0.04}}, "lesions": {}}
    assert released_calibration({"locked_test": both}) == Released(0.02, 0.01, 0.04, "photographs")


def test_a_day_is_kept_once_and_as_it_was_seen_last(clinic):
    waits(clinic, days=3)
    store_day(clinic)
    QueueEntry.objects.update(entered_at=timezone.now() - timedelta(days=5))
    photographs(clinic, 120, shift=2)
    store_day(clinic)
    kept = MonitoringDay.objects.get()
    assert (kept.day, kept.photographs, kept.waiting, round(kept.oldest_days)) == (timezone.localdate(), 120, 1, 5)
    assert kept.has_drifted


def test_the_operator_sees_drift_of_all_and_of_each_clinic(clinic, other_clinic, operator, manager, sign_in):
    page = sign_in(operator).get(reverse("watch-site")).content.decode()
    assert "not_checked_yet" in codes(page)
    photographs(clinic, 120, shift=2)
    photographs(other_clinic, 20, shift=0)
    watch_clinics()
    MonitoringDay.objects.update(day=timezone.localdate() - timedelta(days=1))
    watch_clinics()
    page = sign_in(operator).get(reverse("watch-site")).content.decode()
    rows = re.findall(r'<th scope="row">(Northside|Harbour) Clinic</th>(.*?)</tr>', page, re.DOTALL)
    assert [name for name, _row in rows] == ["Harbour", "Northside"]
    assert ["differs" in row for _name, row in rows] == [False, True]
    assert "The newest 140 photographs" in page
    assert "They differ." in page
    assert "Harbour" not in sign_in(manager).get(reverse("watch")).content.decode()


def test_the_measures_of_light_and_colour_are_compared(clinic, manager, sign_in):
    photographs(clinic, 120, shift=2)
    for place, feature in enumerate(ImageFeatures.objects.all()):
        measures = {"brightness": 180.0 + place % 30, "red": 2.0, "blue": -1.0}
        type(feature.image).objects.filter(pk=feature.image_id).update(measures=measures)
    page = sign_in(manager).get(reverse("watch")).content.decode()
    assert re.search(r"Red relative to green</th>\s*<td class=\"number\" data-label=\"Median now\">2.00</td>", page)
    watch_clinics()
    page = sign_in(manager).get(reverse("watch")).content.decode()
    assert "The photographs are redder. The photographs are less blue. Check for a new camera" in page


def test_the_histogram_of_seconds_only_grows(clinic, client):
    judged_in(clinic, 0.04, 0.4, 50)
    Prediction.objects.update(created_at=timezone.now() - timedelta(days=3))
    judged_in(clinic, 0.4)
    judged_in(clinic, 9, was_rescored=True)
    lines = client.get(reverse("metrics")).content.decode().splitlines()
    assert "# TYPE dermascan_prediction_seconds histogram" in lines
    buckets = [line for line in lines if line.startswith("dermascan_prediction_seconds_bucket")]
    assert buckets[0] == 'dermascan_prediction_seconds_bucket{le="0.05"} 1'
    assert 'dermascan_prediction_seconds_bucket{le="0.5"} 3' in buckets
    assert buckets[-2:] == [
        'dermascan_prediction_seconds_bucket{le="30"} 3',
        'dermascan_prediction_seconds_bucket{le="+Inf"} 4',
    ]
    assert "dermascan_prediction_seconds_count 4" in lines
    judged_in(clinic, 0.4)
    assert "dermascan_prediction_seconds_count 5" in client.get(reverse("metrics")).content.decode().splitlines()


def test_metrics_say_drift_agreement_and_calibration(clinic, dermatologist, client):
    photographs(clinic, 120, shift=2)
    prediction = factories.PredictionFactory(image__lesion__patient__clinic=clinic)
    record_review(image=prediction.image, reviewer=dermatologist, answer="nv", certainty="certain")
    waits(clinic, days=2)
    text = client.get(reverse("metrics")).content.decode()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures["dermascan_drift_distance"]) > float(figures["dermascan_drift_limit"]) > 0
    assert figures['dermascan_agreed_12w{version="invented"}'] == "1"
    assert float(figures['dermascan_calibration_error_12w{version="invented"}']) == pytest.approx(0.3)
    assert float(figures["dermascan_queue_oldest_seconds"]) == pytest.approx(2 * 86400, rel=0.01)


def test_diagnoses_outside_the_seven_are_counted_and_malignant_ones_called_calm_are_missed(
    clinic, other_clinic, dermatologist, stranger, client, sign_in, operator
):
    def turned_out(reader, answer, tier, **facts):
        image = factories.ImageFactory(lesion__patient__clinic=reader.clinic)
        factories.PredictionFactory(image=image, tier=tier, **facts)
        text = "A patient's name" if answer == "other" else ""
        record_review(image=image, reviewer=reader, answer=answer, certainty="certain", other_text=text)

    for answer, tier in [
        ("scc", "calm"), ("scc", "urgent"), ("mel", "calm"), ("nv", "calm"), ("psoriasis", "calm"), ("other", "watch"),
        ("not_a_lesion", "calm"),
    ]:  # fmt: skip
        turned_out(dermatologist, answer, tier)
    turned_out(dermatologist, "scc", "calm", was_rescored=True)
    turned_out(stranger, "merkel", "calm")

    own = sign_in(dermatologist).get(reverse("watch")).context["diagnoses"]
    assert (own.count, own.outside, own.malignant, own.missed) == (6, 4, 3, 2)
    assert [(row.answer, row.count, row.calm) for row in own.shown] == [
        ("scc", 2, 1), ("mel", 1, 1), ("other", 1, 0), ("psoriasis", 1, 1),
    ]  # fmt: skip
    lines = client.get(reverse("metrics")).content.decode().splitlines()
    assert 'dermascan_outside_12w{diagnosis="scc"} 2' in lines
    assert 'dermascan_malignant_missed_12w{diagnosis="merkel"} 1' in lines
    client.force_login(operator)
    every = client.get(reverse("watch-site"))
    assert every.context["diagnoses"].missed == 3
    assert "A patient&#x27;s name" not in every.content.decode()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"photographs": 10}, "watch_day_has_a_distance"),
        ({"photographs": 10, "distance": 0.1}, "watch_day_has_a_distance"),
        ({"photographs": 10, "distance": -0.1, "stability_index": 0.1}, "watch_day_has_a_distance"),
        ({"distance": 0.1}, "watch_day_has_a_distance"),
        ({"waiting": 1, "oldest_days": 1.0, "median_days": 2.0}, "watch_day_oldest_waited"),
        ({"waiting": 1, "oldest_days": 1.0, "median_days": -1.0}, "watch_day_oldest_waited"),
        ({"oldest_days": 1.0}, "watch_day_without_a_queue_has_no_age"),
    ],
)
def test_the_database_refuses_a_day_that_cannot_be(clinic, values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        kept(clinic, **values)


def test_the_database_refuses_a_second_row_of_a_day(clinic):
    kept(clinic)
    kept(None)
    for whose in (clinic, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            kept(whose)


def kept(clinic, **values) -> MonitoringDay:
    ordinary = {"photographs": 0, "waiting": 0, "oldest_days": 0.0, "median_days": 0.0}
    return MonitoringDay.objects.create(
        clinic=clinic, **{"day": timezone.localdate(), "seen_at": timezone.now(), **ordinary, **values}
    )


def _section(page: str, slug: str) -> str:
    found = re.search(rf'aria-labelledby="{slug}">(.*?)</section>', page, re.DOTALL)
    assert found, slug
    return found[1]


def _figures(page: str, slug: str) -> dict:
    """What the script draws the chart from."""
    found = re.search(rf'<script id="{slug}-figures" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found, slug
    return json.loads(found[1])


def test_too_few_photographs_say_how_many_it_takes(clinic, dermatologist, sign_in):
    photographs(clinic, 16, shift=0.0)
    text = " ".join(sign_in(dermatologist).get(reverse("watch")).content.decode().split())
    assert "there are 16 so far" in text
    assert "stability index" not in text.split("<h3", 1)[0], "a figure that says nothing yet is not stated"
