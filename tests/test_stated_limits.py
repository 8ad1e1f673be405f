"""Pages and e-mails state the limits and times of the settings."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from dermascan.core.durations import in_words

# Read at import, before a test below changes the settings.
from diagnosis.api import schema as described
from diagnosis.retraining.errors import NotResumable
from diagnosis.retraining.models import RunStatus, TrainingRun
from diagnosis.reviews.errors import TooLateToRetract
from mlmodel.pictures import picture as pictures
from patients.outbox import deliver_due
from tests import factories
from tests.candidates import candidate
from tests.hooks import wording
from tests.mails import password_link
from tests.places import ROOT

TRANSLATING = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"}
APPS = ("dermascan", "patients", "diagnosis", "mlmodel")
MEGABYTE = 1024 * 1024
# A number with its unit in the text of a template or script.
STATED = re.compile(
    r"\b(\d[\d,.]*|two|three|four|five|six|ten|twelve|twenty|thirty|sixty|ninety)[\s\u00a0]*"
    r"(MB|megapixels|%|seconds?|minutes?|hours?|days?|weeks?|months?|files|photographs|digits|characters|lesions)\b",
    re.IGNORECASE,
)
# Numbers that do not depend on a setting: advice, examples, form choices and percentages.
NO_SETTING = {
    *("two weeks", "three weeks", "four weeks", "three months"),
    "two photographs",  # which are compared with each other
    *("7 days", "30 days", "90 days"),  # of an API token
    *("1 week", "2 weeks", "3 months", "6 months", "12 months", "3 days"),  # offered by forms
    *("100 photographs", "100 lesions", "ten lesions", "20 %", "90 %", "four digits"),
}


def words_of(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def smaller(settings, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 3 * MEGABYTE)
    settings.UPLOAD_MAX_FILES = 7


@pytest.mark.django_db
def test_the_size_of_a_photograph_is_stated_on_every_page_that_takes_one(smaller, client, sign_in, staff, patient):
    visit = factories.VisitFactory(patient=patient)
    factories.LesionFactory(patient=patient)
    for page in (client.get("/"), client.get("/quick-check/")):
        assert "up to 3 MB" in page.text
        assert f'data-max-bytes="{3 * MEGABYTE}"' in page.text
        assert "larger than 3 MB" in page.text
        assert "20 MB" not in page.text
    page = sign_in(staff).get(reverse("upload", args=[visit.pk]))
    assert wording("Up to 7 at a time, 3 MB each") in words_of(page.text)
    assert f'data-max-bytes="{3 * MEGABYTE}"' in page.text
    assert 'data-max-files="7"' in page.text
    assert wording("Only the first 7 photographs") in page.text
    assert "larger than 3 MB" in page.text
    assert "20 MB" not in page.text


@pytest.mark.django_db
def test_the_error_for_a_large_body_states_the_limit(smaller, client, monkeypatch):
    monkeypatch.setattr("dermascan.views.quick_check.MAX_BYTES", 3 * MEGABYTE)
    answer = client.post("/quick-check/", {"file": factories.sample_file(), "more": "x" * (4 * MEGABYTE)})
    assert answer.status_code == 413
    assert wording("A photograph may be up to 3 MB.") in answer.text


@pytest.mark.django_db
def test_how_long_a_link_works_is_stated_in_mail_and_page(settings, staff, sign_in, patient, client):
    settings.PASSWORD_RESET_TIMEOUT = 2 * 3600
    sign_in(staff).post(reverse("patient-account", args=[patient.pk]), {"email": "amara@example.com"})
    client.post(reverse("account_reset_password"), {"email": staff.user.email})
    deliver_due()
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert wording("works once and expires after 2 hours:") in message.body
    link = password_link()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert client.get(link, follow=True).status_code == 200
    settings.PASSWORD_RESET_TIMEOUT = 5 * 86_400
    assert wording("A link works once, for 5 days,") in client.get(link[:-4] + "abc/", follow=True).text


@pytest.mark.django_db
def test_the_number_of_held_out_lesions_is_stated(settings, sign_in, dermatologist):
    settings.RETRAINING_LOCKED_SHARE = 0.4
    version = candidate(by=0.0)
    assert version.answers_as_parent
    page = words_of(sign_in(dermatologist).get(reverse("version", args=[version.pk])).text)
    assert wording("40 % of all confirmed lesions are reserved") in page


@pytest.mark.django_db
def test_the_interval_of_monitoring_is_stated(settings, sign_in, dermatologist):
    schedule = {**settings.CELERY_BEAT_SCHEDULE["watch"], "schedule": timedelta(hours=2)}
    page = sign_in(dermatologist).get(reverse("watch")).text
    assert wording("No incidents. Every hour DermaScan checks") in words_of(page)
    settings.CELERY_BEAT_SCHEDULE = {**settings.CELERY_BEAT_SCHEDULE, "watch": schedule}
    page = sign_in(dermatologist).get(reverse("watch")).text
    assert wording("No incidents. Every 2 hours DermaScan checks") in words_of(page)


def test_refusals_state_the_times_of_the_settings(settings, monkeypatch):
    settings.RETRAINING_DEAD_AFTER_SECONDS = 180.0
    assert "within 3 minutes" in str(NotResumable(TrainingRun(status=RunStatus.RUNNING)))
    monkeypatch.setattr("diagnosis.reviews.errors.RETRACTABLE_FOR", timedelta(minutes=25))
    assert "for 25 minutes" in str(TooLateToRetract())


@pytest.mark.django_db
def test_the_schema_of_the_api_states_what_the_settings_say(client, settings):
    assert callable(described.predict_batch)
    schema = client.get("/api/schema/", headers={"accept": "application/json"}).text
    assert f"Analyse up to {settings.UPLOAD_MAX_FILES} photographs" in schema
    megabytes = pictures.MAX_BYTES // MEGABYTE
    assert f"At most {settings.UPLOAD_MAX_FILES} photographs, each at most {megabytes} MB." in schema
    assert f"at most {megabytes} MB." in schema


def stated_by(text: str) -> set[str]:
    return {match[0].replace("\u00a0", " ").replace("%%", "%") for match in STATED.finditer(text)} - NO_SETTING


def test_no_page_and_no_script_states_a_figure_as_a_constant():
    kinds = ("templates/**/*.html", "templates/**/*.txt", "static/js/*.js")
    files = [path for kind in kinds for path in ROOT.glob(kind)]
    assert len(files) > 150
    comment = re.compile(r"\{#.*?#\}|\{% comment .*?endcomment %\}|^\s*//.*?$", re.DOTALL | re.MULTILINE)
    found = {path.name: stated_by(comment.sub("", path.read_text())) for path in files}
    assert {name: figures for name, figures in found.items() if figures} == {}


def test_no_sentence_in_the_code_states_a_figure_as_a_constant():
    """Every translated text counts."""
    found = {}
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        if "migrations" not in path.parts:
            for words in translated_in(path):
                if figures := stated_by(words):
                    found[f"{path.name}: {words}"] = figures
    assert found == {}


def translated_in(path: Path) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    translating = [call for call in calls if getattr(call.func, "id", "") in TRANSLATING]
    words = [each.value for call in translating for each in call.args if isinstance(each, ast.Constant)]
    return [each for each in words if isinstance(each, str)]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=3), "3 days"),
        (86_400, "1 day"),
        (timedelta(hours=36), "36 hours"),
        (5_400, "90 minutes"),
        (100, "1 minute"),
        (45.0, "45 seconds"),
        (1, "1 second"),
    ],
)
def test_lengths_of_time_in_words(length, words):
    assert in_words(length) == words


def test_limits_are_shown_without_a_session(db):
    assert "MB" in Client().get("/").text
