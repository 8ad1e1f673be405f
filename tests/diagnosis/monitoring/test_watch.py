"""Incidents open once, are told once, are acknowledged and end; the pages and /metrics say what there is."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import numpy as np
import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.images.models import Image, ImageFeatures, Prediction
from diagnosis.monitoring.activity import days_of, start_of
from diagnosis.monitoring.hourly_checks import watch_clinic
from diagnosis.monitoring.incidents import acknowledge_incident, end_incident, open_incident
from diagnosis.monitoring.label_agreement import (
    Agreement,
    agreement_by_week,
    calibration_of,
    cells_of,
    versions_of,
    week_starts,
)
from diagnosis.monitoring.models import Incident, IncidentKind, IncidentState
from diagnosis.monitoring.notifications import check_webhook_address
from diagnosis.monitoring.prometheus import metrics_text
from diagnosis.monitoring.tasks import watch_clinics
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from mlmodel.network.analyser import get_analyser
from mlmodel.network.drift import WINDOW
from mlmodel.pictures.picture import decode
from patients.models import OutgoingMessage
from patients.outbox import CannotSend, deliver_due
from tests import factories

pytestmark = pytest.mark.django_db


class Listener:
    """A real server that remembers what it was sent, and answers with the given states in turn."""

    def __init__(self, *states: int) -> None:
        self.bodies: list[dict] = []
        waiting, bodies = list(states), self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(waiting.pop(0) if waiting else 200)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def listen(settings) -> Iterator:
    started = []

    def _listen(*states: int) -> Listener:
        listener = Listener(*states)
        thread = Thread(target=listener.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        started.append((listener, thread))
        settings.WATCH_WEBHOOK = listener.url
        return listener

    yield _listen
    for listener, thread in started:
        listener.server.shutdown()
        listener.server.server_close()
        thread.join()


def photographs(clinic, count: int, *, shift: float, verdict: str = "accepted") -> None:
    """Photographs of one lesion with features around the reference's middle, or ``shift`` deviations from it."""
    analyser = get_analyser()
    reference = analyser.reference
    assert reference is not None
    lesion = factories.LesionFactory(patient__clinic=clinic)
    visit = factories.VisitFactory(patient=lesion.patient)
    draw = np.random.default_rng(0)
    directions = reference.projection / (reference.projection**2).sum(axis=0)
    for _ in range(count):
        image = factories.ImageFactory(lesion=lesion, visit=visit, features=None, verdict=verdict)
        scores = draw.normal(size=directions.shape[1]) + shift
        vector = (reference.mean + directions @ scores).astype("<f2").tobytes()
        ImageFeatures.objects.create(image=image, backbone_sha256=analyser.backbone_sha256, vector=vector)


def test_drift_opens_one_incident_and_ends_it(clinic):
    photographs(clinic, 120, shift=2)
    assert [incident.kind for incident in watch_clinic(clinic)] == [IncidentKind.DRIFT]
    assert watch_clinic(clinic) == []
    photographs(clinic, 200, shift=0)
    assert watch_clinic(clinic) == []
    assert Incident.objects.get().state == IncidentState.OVER


def test_another_clinics_photographs_raise_nothing(clinic, other_clinic):
    photographs(other_clinic, 120, shift=2)
    assert watch_clinic(clinic) == []


def test_many_refusals_open_an_incident(clinic):
    photographs(clinic, 40, shift=0)
    photographs(clinic, 20, shift=0, verdict="blurred")
    assert [incident.kind for incident in watch_clinic(clinic)] == [IncidentKind.REFUSALS]


def test_word_goes_out_once_by_mail_and_webhook(clinic, listen, settings):
    listener = listen()
    settings.WATCH_EMAIL = "operator@clinic.example"
    photographs(clinic, 120, shift=2)
    watch_clinics()
    deliver_due()
    watch_clinics()
    deliver_due()
    assert [body["kind"] for body in listener.bodies] == ["drift"]
    assert [message.to for message in mail.outbox] == [["operator@clinic.example"]]
    assert clinic.name in mail.outbox[0].subject


def test_a_webhook_that_is_down_is_told_later(clinic, listen):
    listener = listen(500, 503, 204)
    open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="They differ.")
    row = OutgoingMessage.objects.get(kind="incident_call")
    for attempts, state in ((1, "waiting"), (2, "waiting"), (3, "sent")):
        OutgoingMessage.objects.update(next_attempt_at=timezone.now())
        deliver_due()
        row.refresh_from_db()
        assert (row.attempts, row.state) == (attempts, state)
    deliver_due()
    assert len(listener.bodies) == 3


def test_a_redirect_is_not_followed(clinic, listen):
    listener = listen(302)
    open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="They differ.")
    deliver_due()
    assert len(listener.bodies) == 1
    assert "302" in OutgoingMessage.objects.get().last_error


def test_an_incident_and_its_messages_are_written_together(clinic, settings):
    settings.WATCH_EMAIL, settings.WATCH_WEBHOOK = "operator@clinic.example", "https://hook.clinic.example/secret"
    open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="They differ.")
    rows = {row.kind: row for row in OutgoingMessage.objects.all()}
    assert set(rows) == {"incident", "incident_call"}
    assert rows["incident_call"].address == "", "the address of a webhook may hold a secret"


@pytest.mark.parametrize(
    "address", ["http://clinic.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "x"]
)
def test_other_addresses_are_not_called(address):
    with pytest.raises(CannotSend, match="https://"):
        check_webhook_address(address)


def test_an_incident_is_acknowledged_once(clinic, manager, dermatologist, sign_in):
    incident = factories.IncidentFactory(clinic=clinic)
    address = reverse("watch-acknowledge", args=[incident.pk])
    assert b">Acknowledge<" in sign_in(manager).get(reverse("watch")).content
    sign_in(manager).post(address)
    sign_in(dermatologist).post(address)
    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, manager.user)
    assert b">Acknowledge<" not in sign_in(manager).get(reverse("watch")).content


def test_what_is_over_is_not_acknowledged_and_may_come_again(clinic, manager):
    incident, _is_new = open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="Seen.")
    assert end_incident(clinic=clinic, kind=IncidentKind.DRIFT)
    assert not acknowledge_incident(incident=incident, by=manager.user)
    again, is_new = open_incident(clinic=clinic, kind=IncidentKind.DRIFT, words="Seen again.")
    assert is_new
    assert again != incident


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"kind": "weather"}, "incident_is_of_a_known_kind"),
        ({"state": "forgotten"}, "incident_state_is_known"),
        ({"words": ""}, "incident_says_what_was_seen"),
        ({"state": "over"}, "incident_that_is_over_has_an_end"),
        ({"over_at": timezone.now()}, "incident_that_is_over_has_an_end"),
        ({"acknowledged_at": timezone.now()}, "incident_acknowledgement_has_a_name_and_a_time"),
        ({"state": "acknowledged"}, "acknowledged_incident_names_who"),
    ],
)
def test_the_database_refuses(values, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        factories.IncidentFactory(**values)


def test_the_database_refuses_two_of_a_kind(clinic):
    factories.IncidentFactory(clinic=clinic)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.IncidentFactory(clinic=clinic)
    factories.IncidentFactory(clinic=clinic, kind="refusals")


def test_figures_count_days_agreement_and_calibration(clinic, other_clinic, dermatologist):
    for answer in ("nv", "nv", "mel"):
        prediction = factories.PredictionFactory(image__lesion__patient__clinic=clinic, share=0.7, tier="watch")
        confirm(prediction.image, dermatologist, answer)
    factories.ImageFactory(lesion__patient__clinic=clinic, verdict="blurred")
    factories.PredictionFactory(image__lesion__patient__clinic=other_clinic)
    (today,) = days_of(clinic, days=1)
    assert (today.predictions, today.refused, today.watch, today.calm) == (3, 1, 3, 0)
    (week,) = agreement(clinic)
    assert (week.agreed, week.count, week.version) == (2, 3, "invented")
    this_day = timezone.localdate()
    assert week.week == this_day - timedelta(days=this_day.weekday())
    calibration = calibration_of(cells_of(clinic, days=7), prediction.model_version)
    assert calibration is not None
    assert (round(calibration.error, 3), calibration.count) == (round(0.7 - 2 / 3, 3), 3)
    assert calibration.released is None
    assert days_of(None, days=1)[0].predictions == 4


def test_what_was_rescored_is_no_new_work_and_proves_nothing(clinic, dermatologist):
    """A new version reads the archive in one night, and has learnt from some of it."""
    came = factories.PredictionFactory(image__lesion__patient__clinic=clinic, code="nv")
    confirm(came.image, dermatologist, "mel")
    factories.PredictionFactory(
        image=came.image,
        model_version=factories.ModelVersionFactory(sha256="d" * 64, name="retrained"),
        code="mel",
        was_rescored=True,
    )

    assert days_of(clinic, days=1)[0].predictions == 1
    assert [(week.version, week.agreed) for week in agreement(clinic)] == [(came.model_version.name, 0)]
    assert [cell.version for cell in cells_of(clinic, days=7)] == [came.model_version.pk]
    assert 'dermascan_predictions_24h{tier="calm"} 1' in metrics_text()


@pytest.mark.parametrize("days", [1, 6, 7, 8, 84])
def test_weeks_begin_on_mondays_and_hold_all_days(days):
    starts = week_starts(days)
    assert all(start.weekday() == 0 for start in starts)
    assert starts[0] <= start_of(days) < starts[0] + timedelta(days=7)
    assert starts[-1] <= timezone.localtime() < starts[-1] + timedelta(days=7)


def agreement(clinic) -> list[Agreement]:
    cells = cells_of(clinic, days=7)
    return agreement_by_week(cells, {key: version.name for key, version in versions_of(cells).items()})


def confirm(image, dermatologist, answer: str) -> None:
    record_review(image=image, reviewer=dermatologist, answer=answer, certainty="certain")


def test_the_interval_is_wilsons():
    low, high = Agreement(timezone.localdate(), "v", 8, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_the_page_has_a_chart_and_a_table_for_each_figure(clinic, staff, sign_in):
    factories.PredictionFactory(image__lesion__patient__clinic=clinic)
    page = sign_in(staff).get(reverse("watch")).content.decode()
    assert page.count("<canvas") == page.count('<details class="watch-table" open>') == 2
    # What there is nothing of says what will be here.
    assert page.count('<section class="card card-pad watch-figure"') == 11
    assert "Agreement appears here once" in page
    assert " style=" not in page


def test_the_oldest_urgent_photograph_is_watched(clinic):
    image = factories.ImageFactory(lesion__patient__clinic=clinic)
    QueueEntry.objects.create(
        image=image, clinic=clinic, state="waiting", reason="urgent", reasons=["urgent"], needs=1, priority=100,
        entered_at=timezone.now() - timedelta(days=9),
    )  # fmt: skip
    assert [incident.kind for incident in watch_clinic(clinic)] == [IncidentKind.QUEUE_AGE]


def test_the_watch_sees_what_came_after_a_clock_was_set_back(clinic, staff, sign_in, monkeypatch):
    photographs(clinic, WINDOW, shift=0)
    factories.PredictionFactory(image=Image.objects.first())
    next_year = timezone.now() + timedelta(days=365)
    Image.objects.update(created_at=next_year)
    Prediction.objects.update(created_at=next_year)
    photographs(clinic, 120, shift=2)
    photographs(clinic, 60, shift=0, verdict="blurred")
    assert [incident.kind for incident in watch_clinic(clinic)] == [IncidentKind.DRIFT, IncidentKind.REFUSALS]
    page = sign_in(staff).get(reverse("watch"))
    assert page.status_code == 200
    assert [(day.predictions, day.refused) for day in days_of(clinic, days=2)] == [(0, 0), (0, 60)]
    assert 'dermascan_images_24h{verdict="accepted"} 120' in metrics_text()


def test_an_urgent_photograph_from_a_time_that_has_not_come_waits_from_now_on(clinic, monkeypatch):
    image, now = factories.ImageFactory(lesion__patient__clinic=clinic), timezone.now
    QueueEntry.objects.create(
        image=image, clinic=clinic, state="waiting", reason="urgent", reasons=["urgent"], needs=1, priority=100,
        entered_at=timezone.now() + timedelta(days=365),
    )  # fmt: skip
    assert watch_clinic(clinic) == []
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(days=9))
    assert [incident.kind for incident in watch_clinic(clinic)] == [IncidentKind.QUEUE_AGE]


def test_metrics_are_for_this_machine_or_for_the_token(client, settings):
    address = reverse("metrics")
    factories.IncidentFactory()
    answer = client.get(address)
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'dermascan_incidents{kind="drift",state="open"} 1' in answer.content.decode().splitlines()
    assert client.get(address, REMOTE_ADDR="192.0.2.1").status_code == 403
    assert client.get(address, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
    settings.METRICS_TOKEN = "a token"
    assert client.get(address).status_code == 403
    assert client.get(address, headers={"Authorization": "Bearer é"}).status_code == 403
    assert client.get(address, headers={"Authorization": "Bearer a token"}, REMOTE_ADDR="192.0.2.1").status_code == 200


def test_a_photograph_unlike_the_reference_waits_as_an_outlier(clinic):
    threshold = get_analyser().outlier_threshold
    assert threshold is not None
    ordinary, outlier = (
        factories.ImageFactory(lesion__patient__clinic=clinic, measures={"outlier": threshold + more})
        for more in (-0.1, 0.1)
    )
    assert "drift_outlier" not in refresh_queue_entry(image=ordinary).reasons
    assert "drift_outlier" in refresh_queue_entry(image=outlier).reasons


def test_the_analysis_says_how_unlike_the_reference_it_is(photograph):
    analysis = get_analyser().analyse(decode(photograph))
    reference = get_analyser().reference
    assert reference is not None
    assert analysis.quality.measures["outlier"] == round(reference.outlier_score(analysis.features), 4)
