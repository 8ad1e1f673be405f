"""The retraining pages, as dermatologists, managers and strangers meet them."""

import pytest
from django.urls import reverse

from diagnosis.assessment.threshold_costs import cost_of
from diagnosis.images.models import Tier
from diagnosis.retraining.models import RunStatus, TrainingRun
from diagnosis.retraining.run_states import report_progress
from mlmodel.versions.serving import analyser_of
from tests import factories
from tests.diagnosis.retraining.cases import agreeing_patient, confirmed, confirmed_cases, in_turn
from tests.diagnosis.retraining.test_run import at_work, fall_silent, newest
from tests.hooks import coded, codes

pytestmark = pytest.mark.django_db
RUNS = "/admin/retraining/"


def page(client, run) -> str:
    return client.get(reverse("admin:retraining-run", args=[run.pk])).content.decode()


def test_the_button_is_there_when_there_is_something_to_learn(dermatologist, manager, sign_in):
    client = sign_in(dermatologist)
    assert "Retrain now" not in client.get(RUNS).content.decode()
    refused = client.post(reverse("admin:retraining-start"), follow=True).content.decode()
    assert "nothing_to_learn" in codes(refused)
    confirmed(reader=dermatologist)
    assert "Retrain now" in client.get(RUNS).content.decode()
    assert "Retrain now" not in sign_in(manager).get(RUNS).content.decode()
    assert sign_in(manager).post(reverse("admin:retraining-start")).status_code == 403
    assert not TrainingRun.objects.exists()


@pytest.mark.slow
def test_a_run_is_started_from_the_button_and_ends_with_a_verdict(
    dermatologist, clinic, stranger, sign_in, django_capture_on_commit_callbacks
):
    in_turn(confirmed_cases(dermatologist, 12))
    lesion = factories.LesionFactory(patient=agreeing_patient(clinic))
    contradicting = [
        confirmed(reader=dermatologist, row=100 + place, lesion=lesion, code=code)
        for place, code in enumerate(("nv", "mel"))
    ]
    client = sign_in(dermatologist)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("admin:retraining-start"))
    run = newest()
    assert response["Location"] == reverse("admin:retraining-run", args=[run.pk])
    assert run.status == RunStatus.DONE
    assert run.started_by == dermatologist.user
    shown = page(client, run)
    assert run.candidate.name in shown
    assert run.judgement["verdict"].upper() in shown
    assert run.judgement["reasons"][0]["code"]
    assert "hx-trigger" not in shown
    version = reverse("version", args=[run.candidate.pk])
    assert f'href="{version}"' in shown
    # Twelve labels are too few to move the head, and whoever decides must know that nothing would change.
    assert "nothing_better_found" in codes(shown)
    assert "nothing_better_found" in codes(client.get(version).content.decode())
    assert run.messages.filter(words__startswith="Nothing better was found").exists()
    # Nor do its pages claim that it finds more than the version that it is.
    points = [analyser_of(each).operating_points for each in (run.parent, run.candidate)]
    for tier in Tier:
        assert cost_of(tier, points[0]) == cost_of(tier, points[1])
    # What was left out is told, and shown to those who can settle it.
    assert run.left_out == {"labels_differ": 2}
    for left_out in contradicting:
        assert f'href="{left_out.get_absolute_url()}"' in shown
        assert left_out.get_absolute_url() not in page(sign_in(stranger), run)
    # Also for a reason that only earlier versions of the software knew.
    TrainingRun.objects.filter(pk=run.pk).update(left_out={"not_read": 2, "unreadable": 1})
    assert "not analysed yet" in page(client, run)
    image = run.manifest.first().image
    TrainingRun.objects.filter(pk=run.pk).update(turned_wrong=[str(image.pk)])
    thumbnail = reverse("image-file", args=[image.pk, "thumbnail"])
    assert thumbnail in page(client, run)
    assert thumbnail not in page(sign_in(stranger), run)
    assert run.candidate.name in client.get(RUNS).content.decode()
    # Photographs that a run left out still count as new: the page says where to read why.
    assert "last_run_left_out" in codes(client.get(RUNS).content.decode())
    needed = run.judgement["labels_needed"]
    assert needed
    assert str(needed) in coded(page(client, run), "lesions_would_settle_it")


def test_progress_is_polled_while_it_lives(dermatologist, sign_in):
    run = at_work()
    report_progress(run, 0.42, "Training the head: epoch 3 of 9")
    client = sign_in(dermatologist)
    polled = client.get(reverse("admin:retraining-run", args=[run.pk]), HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in polled
    assert 'hx-trigger="every 2s"' in polled
    assert "epoch 3 of 9" in polled
    assert 'value="42"' in polled
    refused = client.post(reverse("admin:retraining-start"), follow=True).content.decode()
    assert "nothing new" in refused
    confirmed(reader=dermatologist)
    assert "run_is_alive" in codes(client.post(reverse("admin:retraining-start"), follow=True).content.decode())
    assert "Retrain now" not in client.get(RUNS).content.decode()


def test_a_silent_run_is_seen_on_the_page_and_abandoned_there(dermatologist, sign_in):
    run = at_work()
    client = sign_in(dermatologist)
    resumed = client.post(reverse("admin:retraining-resume", args=[run.pk]), follow=True).content.decode()
    assert "not_resumable" in codes(resumed)
    fall_silent(run)
    shown = page(client, run)
    assert "run_stopped" in codes(shown)
    assert "Resume" in shown
    client.post(reverse("admin:retraining-abandon", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == RunStatus.ABANDONED
    again = client.post(reverse("admin:retraining-abandon", args=[run.pk]), follow=True).content.decode()
    assert "not_abandonable" in codes(again)


def test_a_dead_run_is_resumed_by_a_worker(dermatologist, sign_in, django_capture_on_commit_callbacks, settings):
    settings.RETRAINING_LOCKED_SHARE = 1.0  # ends at once: there is nothing to learn from
    confirmed(reader=dermatologist)
    run = at_work()
    fall_silent(run)
    client = sign_in(dermatologist)
    page(client, run)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:retraining-resume", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "nothing new" in page(client, run)


def test_an_unknown_run_is_not_found(dermatologist, sign_in):
    unknown = "00000000-0000-0000-0000-000000000000"
    client = sign_in(dermatologist)
    assert client.get(reverse("admin:retraining-run", args=[unknown])).status_code == 404
    assert client.post(reverse("admin:retraining-abandon", args=[unknown])).status_code == 404
