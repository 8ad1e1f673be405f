"""The admin: the review queue, a new review, and a history that nobody can edit."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dermascan.core.paging import AheadPaginator
from diagnosis.images.models import Image, ImageFeatures, Prediction
from diagnosis.reports.models import Report
from diagnosis.reports.withholding import withhold_report
from diagnosis.reviews.models import Review
from diagnosis.reviews.queue import refresh_queue_entry
from mlmodel.versions.models import ModelVersion
from tests import factories
from tests.diagnosis.photographing import copies_of, predict
from tests.diagnosis.reporting import (
    MELANOMA,
    NEVUS,
    photographed_visit,
    refused_photograph,
    signed_addendum,
    signed_report,
)
from tests.diagnosis.reports.test_report_as_it_holds import named
from tests.hooks import codes, wording

pytestmark = [pytest.mark.slow, pytest.mark.services]

READ_ONLY = ["diagnosis_prediction", "diagnosis_report", "diagnosis_imagefeatures", "mlmodel_modelversion"]


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, NEVUS)


@pytest.fixture
def image(visit) -> Image:
    return visit.images.earliest("created_at")


def row_of(name: str, visit) -> Any:
    """One row of a model by its admin's name."""
    return {
        "diagnosis_image": visit.images.first(),
        "diagnosis_prediction": Prediction.objects.first(),
        "diagnosis_report": Report.objects.first(),
        "diagnosis_imagefeatures": ImageFeatures.objects.first(),
        "mlmodel_modelversion": ModelVersion.objects.first(),
    }[name]


def listed(client, **query) -> list[Image]:
    page = client.get(reverse("admin:diagnosis_image_changelist"), query)
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def review_form(image: Image, **review) -> dict[str, object]:
    existing = image.reviews.count()
    form: dict[str, object] = {
        "reviews-TOTAL_FORMS": existing + 1,
        "reviews-INITIAL_FORMS": existing,
        "reviews-MIN_NUM_FORMS": 0,
        "reviews-MAX_NUM_FORMS": 1000,
        "predictions-TOTAL_FORMS": 1,
        "predictions-INITIAL_FORMS": 1,
    }
    for number, row in enumerate(image.reviews.order_by("-created_at")):
        form[f"reviews-{number}-id"] = row.pk
        form[f"reviews-{number}-image"] = image.pk
    form |= {f"reviews-{existing}-{name}": value for name, value in review.items()}
    form[f"reviews-{existing}-image"] = image.pk
    return form


def change_url(image: Image) -> str:
    return reverse("admin:diagnosis_image_change", args=[image.pk])


# --- The queue -------------------------------------------------------------------------------------------------


def test_the_list_shows_photographs(sign_in, dermatologist, visit):
    page = sign_in(dermatologist).get(reverse("admin:diagnosis_image_changelist")).content.decode()
    for image in visit.images.all():
        assert reverse("image-file", args=[image.pk, "thumbnail"]) in page
    assert visit.patient.record_number in page


def test_what_waits_is_listed_in_the_queues_order(sign_in, dermatologist, visit):
    refused = refused_photograph(visit)
    waiting = listed(sign_in(dermatologist), review="needed")
    priorities = [image.queue_entry.priority for image in waiting]
    assert refused in waiting
    assert len(priorities) == 3
    assert priorities == sorted(priorities, reverse=True)


def test_a_confirmed_photograph_leaves_the_queue(sign_in, dermatologist, visit, image):
    client = sign_in(dermatologist)
    client.post(change_url(image), review_form(image, answer="mel", certainty="unsure", reason="Hard to say."))
    assert image in listed(client, review="needed"), "an unsure review settles nothing"
    client.post(change_url(image), review_form(image, answer="mel", certainty="certain", reason="Histology."))
    assert image not in listed(client, review="needed")
    assert listed(client, review="confirmed") == [image]


def test_filters_and_search(sign_in, dermatologist, visit, image):
    refused = refused_photograph(visit)
    other = photographed_visit(factories.PatientFactory(clinic=visit.patient.clinic, record_number="ZZ-9"), NEVUS)
    client = sign_in(dermatologist)
    assert listed(client, q="ZZ-9") == list(other.images.all())
    assert listed(client, q=visit.patient.family_name, verdict__exact=refused.verdict) == [refused]
    assert listed(client, review="not-judged") == [refused]
    assert image in listed(client, tier=image.predictions.get().tier)
    assert len(listed(client, lesion__body_site__exact="shoulder")) == 4
    assert listed(client, tier="nonsense")
    assert len(listed(client, created_at__year=image.created_at.year)) == 4


def test_the_list_costs_the_same_for_any_number(sign_in, dermatologist, visit, patient):
    client = sign_in(dermatologist)
    url = reverse("admin:diagnosis_image_changelist")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    photographed_visit(patient, MELANOMA, NEVUS)
    client.get(url)  # records once what it has shown
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(more) == len(few)


def test_an_answer_is_listed_with_what_is_known_of_its_photograph(sign_in, dermatologist, visit, image, patient):
    image.predictions.update(tier="calm")
    named(image, dermatologist, "mel")
    client, url = sign_in(dermatologist), reverse("admin:diagnosis_prediction_changelist")
    with CaptureQueriesContext(connection) as few:
        page = client.get(url).content.decode()
    assert "admin-tier-urgent" in page
    assert "Confirmed: Melanoma" in page
    assert wording("The network called it calm and missed it") in page
    photographed_visit(patient, MELANOMA, NEVUS)
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(more) == len(few)


def test_a_report_that_is_withheld_or_no_longer_holds_is_marked(sign_in, dermatologist, visit, image, patient):
    report = signed_report(visit, dermatologist, released=True)
    signed_addendum(report, dermatologist)
    client = sign_in(dermatologist)
    lists = [reverse(f"admin:{name}_changelist") for name in (
        "diagnosis_report", "diagnosis_addendum", "patients_visit"
    )]  # fmt: skip
    costs = []
    for url in lists:
        with CaptureQueriesContext(connection) as few:
            assert "admin-tier-urgent" not in client.get(url).content.decode()
        costs.append(len(few))
    named(image, dermatologist, "scc")
    other = signed_report(photographed_visit(patient, NEVUS), dermatologist, released=True)
    signed_addendum(other, dermatologist)
    withhold_report(report=other, by=dermatologist, reason="plan", note="It was meant for another lesion.")
    for url, cost in zip(lists, costs, strict=True):
        with CaptureQueriesContext(connection) as more:
            page = client.get(url).content.decode()
        assert codes(page).count("reviews_contradict_report") == 1
        assert codes(page).count("withheld") == 1
        assert len(more) == cost


def test_a_photograph_judged_twice_is_listed_once_by_its_newest_answer(sign_in, dermatologist, visit, image):
    now = image.predictions.get().tier
    before = "calm" if now == "urgent" else "urgent"
    predict(image, code="nv", tier=before)
    ModelVersion.objects.update(name="xception-old", sha256="0" * 64)
    client = sign_in(dermatologist)
    client.post(reverse("image-analyse", args=[image.pk]))

    assert image.predictions.count() == 2
    assert listed(client, review="needed").count(image) == 1
    assert listed(client, tier=now).count(image) == 1
    assert image not in listed(client, tier=before)


def test_a_long_list_is_counted_only_a_little_ahead(sign_in, dermatologist, image, monkeypatch):
    monkeypatch.setattr(AheadPaginator, "PAGES_AHEAD", 1)
    copies_of(image, 60)  # with the two of the visit these are 62, on pages of 25
    client = sign_in(dermatologist)
    url = reverse("admin:diagnosis_image_changelist")

    first = client.get(url).content.decode()
    second = client.get(url, {"p": "2"}).content.decode()

    assert "more than 50 images" in " ".join(first.split())
    assert "more than" not in second
    assert "62 images" in " ".join(second.split())
    assert len(listed(client, p="3")) == 12
    assert client.get(url, {"p": "4"})["Location"] == f"{url}?e=1"
    assert client.get(url, {"p": "9" * 40}).status_code == 302


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan in SQLite's words")
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "images_by_age"),
        ({"review": "needed"}, "queue_of_a_clinic"),
        ({"tier": "urgent"}, "predictions_by_tier"),
        ({"review": "confirmed"}, "labels_by_age"),
        ({"review": "not-judged"}, "images_by_age"),
    ],
)
def test_no_list_sorts_all_photographs(sign_in, dermatologist, visit, query, index):
    """A page of a hundred thousand photographs must be walked to in an index's order."""
    client = sign_in(dermatologist)
    with CaptureQueriesContext(connection) as captured:
        listed(client, **query)
    page = next(each["sql"] for each in captured if each["sql"].endswith(f"LIMIT {25 * 11 + 1}"))

    with connection.cursor() as cursor:
        plan = [step for *_, step in cursor.execute(f"EXPLAIN QUERY PLAN {page}").fetchall()]

    assert f"USING INDEX {index}" in plan[0]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


# --- A new review ----------------------------------------------------------------------------------------------


def test_a_dermatologist_adds_a_review(sign_in, dermatologist, image):
    response = sign_in(dermatologist).post(
        change_url(image), review_form(image, answer="bcc", certainty="probable", reason=" Dermatoscopy. ")
    )
    assert response.status_code == 302
    review = Review.objects.get()
    assert (review.answer, review.certainty, review.reason) == ("bcc", "probable", "Dermatoscopy.")
    assert review.reviewer == dermatologist


def test_a_review_cannot_be_changed_or_deleted(sign_in, dermatologist, image):
    client = sign_in(dermatologist)
    client.post(change_url(image), review_form(image, answer="bcc", certainty="certain", reason="First."))
    first = Review.objects.get()
    form = review_form(image, answer="", certainty="", reason="")
    form |= {
        "reviews-0-answer": "nv",
        "reviews-0-certainty": "unsure",
        "reviews-0-reason": "x",
        "reviews-0-DELETE": "on",
    }
    client.post(change_url(image), form)
    assert (Review.objects.get().answer, Review.objects.get().reason) == ("bcc", "First.")
    assert Review.objects.get().pk == first.pk


def test_an_incomplete_review_is_a_form_error(sign_in, dermatologist, image):
    for review in ({"answer": "xx", "certainty": "certain"}, {"answer": "mel", "certainty": "", "reason": "a"}):
        response = sign_in(dermatologist).post(change_url(image), review_form(image, **review))
        assert response.status_code == 200
    response = sign_in(dermatologist).post(
        change_url(image), review_form(image, answer="mel", certainty="certain", reason="a\0b")
    )
    assert response.status_code == 200
    assert not Review.objects.exists()


def test_a_photograph_cannot_be_edited(sign_in, dermatologist, image):
    before = Image.objects.filter(pk=image.pk).values().get()
    form = review_form(image, answer="mel", certainty="certain", reason="")
    sign_in(dermatologist).post(change_url(image), {**form, "verdict": "blurred", "sha256": "0" * 64, "width": 1})
    assert Image.objects.filter(pk=image.pk).values().get() == before
    assert Review.objects.exists()


@pytest.mark.parametrize("role", ["manager", "staff"])
def test_only_dermatologists_review(sign_in, request, image, role):
    member = request.getfixturevalue(role)
    response = sign_in(member).post(
        change_url(image), review_form(image, answer="mel", certainty="certain", reason="")
    )
    assert response.status_code in (302, 403)
    assert not Review.objects.exists()


def test_a_manager_reads(sign_in, manager, image):
    page = sign_in(manager).get(change_url(image))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


def test_a_superuser_who_is_no_dermatologist_cannot_review(sign_in, image):
    superuser = factories.UserFactory(is_staff=True, is_superuser=True)
    client = sign_in(superuser)
    assert client.get(change_url(image)).status_code == 200
    client.post(change_url(image), review_form(image, answer="mel", certainty="certain", reason=""))
    assert not Review.objects.exists()


# --- Nothing clinical is edited, deleted, or seen across clinics -----------------------------------------------


@pytest.mark.parametrize("who", ["dermatologist", "superuser"])
def test_nothing_is_added_or_deleted(sign_in, dermatologist, visit, who):
    signed_report(visit, dermatologist)
    superuser = factories.UserFactory(is_staff=True, is_superuser=True)
    client = sign_in(superuser if who == "superuser" else dermatologist)
    for name in ("diagnosis_image", *READ_ONLY):
        row = row_of(name, visit)
        changelist = reverse(f"admin:{name}_changelist")
        assert client.get(changelist).status_code == 200, name
        assert client.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200, name
        assert client.get(reverse(f"admin:{name}_add")).status_code == 403, name
        assert client.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        if name in READ_ONLY:
            assert client.post(reverse(f"admin:{name}_change", args=[row.pk]), {}).status_code == 403, name
        client.post(changelist, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
        assert type(row).objects.filter(pk=row.pk).exists(), name


def test_another_clinic_sees_nothing(sign_in, dermatologist, stranger, visit):
    signed_report(visit, dermatologist)
    client = sign_in(stranger)
    for name in ("diagnosis_image", "diagnosis_prediction", "diagnosis_report", "diagnosis_imagefeatures"):
        page = client.get(reverse(f"admin:{name}_changelist"))
        assert list(page.context["cl"].result_list) == [], name
        # Django's admin sends those who ask for a row they cannot see back to its front page.
        response = client.get(reverse(f"admin:{name}_change", args=[row_of(name, visit).pk]))
        assert response.status_code == 302, name
        assert response.url == reverse("admin:index"), name


def test_staff_stay_outside(sign_in, staff):
    client = sign_in(staff)
    for name in ("diagnosis_image", *READ_ONLY):
        assert client.get(reverse(f"admin:{name}_changelist")).status_code == 302, name


def test_the_pages_obey_the_content_security_policy(sign_in, dermatologist, image):
    client = sign_in(dermatologist)
    for url in (reverse("admin:diagnosis_image_changelist"), change_url(image), reverse("admin:index")):
        response = client.get(url)
        assert "script-src 'self'" in response["Content-Security-Policy"]
        assert " style=" not in response.content.decode()
        assert "<script>" not in response.content.decode()


def test_the_first_page_leads_to_what_is_done_there(sign_in, dermatologist, manager):
    ways = [reverse(name) for name in ("admin:review-agreement", "admin:retraining", "versions", "watch")]
    page = sign_in(dermatologist).get(reverse("admin:index")).content.decode()
    assert [way for way in [reverse("admin:review"), *ways] if f'href="{way}"' not in page] == []
    page = sign_in(manager).get(reverse("admin:index")).content.decode()
    assert [way for way in ways if f'href="{way}"' not in page] == []
    assert f'href="{reverse("admin:review")}"' not in page, "a manager has nothing to sign a review with"


def test_the_queues_list_leads_back_and_writes_times_as_all_pages_do(sign_in, dermatologist, patient):
    image = factories.ImageFactory(lesion__patient=patient)
    refresh_queue_entry(image=image)
    page = sign_in(dermatologist).get(reverse("admin:diagnosis_queueentry_changelist")).content.decode()
    assert f'href="{reverse("admin:review")}"' in page
    assert re.search(r"\d+ \w{3} \d{4}, \d\d:\d\d", page)
    assert ".m." not in page


def test_an_operator_of_no_clinic_is_led_to_what_is_theirs(client, db):
    client.force_login(factories.UserFactory(is_superuser=True, is_staff=True))
    page = client.get(reverse("admin:index")).content.decode()
    assert [
        name for name in ("admin:retraining", "versions", "watch-site") if f'href="{reverse(name)}"' not in page
    ] == []
    assert f'href="{reverse("watch")}"' not in page
    for name in ("admin:retraining", "versions", "watch-site"):
        assert client.get(reverse(name)).status_code == 200
