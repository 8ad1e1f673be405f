"""One record is one line, whatever is asked, and an expected refusal is one without a traceback."""

import io
import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from dermascan.logs import ExpectedRefusal, LineFormatter, printable

FORGED = "2026-01-01 00:00:00,000 INFO forged: all is well"


@pytest.fixture
def log():
    """What the configured handler writes."""
    written = io.StringIO()
    configured: Any = settings.LOGGING["formatters"]["line"]  # type: ignore[index]
    handler = logging.StreamHandler(written)
    handler.setFormatter(LineFormatter(configured["format"], style=configured["style"]))
    handler.addFilter(ExpectedRefusal())
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def lines(log: io.StringIO) -> list[str]:
    return log.getvalue().splitlines()


@pytest.mark.django_db
@pytest.mark.parametrize("mark", ["%0a", "%0d", "%0d%0a", "%e2%80%a8", "%e2%80%a9", "%c2%85", "%0b", "%0c", "%1c"])
def test_a_path_cannot_forge_a_line(log, mark):
    assert Client().get(f"/nothing{mark}{FORGED}").status_code == 404
    (line,) = lines(log)
    assert "Not Found" in line
    assert not line.startswith(FORGED)


@pytest.mark.django_db
@pytest.mark.parametrize("mark", ["\x1b[31m", "\x07", "\u202e", "\x7f", "\x9b31m", "\u2066"])
def test_a_path_cannot_colour_or_turn_a_line(log, mark):
    Client().get(f"/nothing{mark}")
    assert mark not in log.getvalue()
    assert len(lines(log)) == 1


def test_names_of_files_and_users_cannot_either(log):
    logging.getLogger("diagnosis").error("The file %s is missing.", f"mole.jpg\n{FORGED}")
    logging.getLogger("patients").error("%s signed in", {"name": f"a\u2028{FORGED}"})
    assert len(lines(log)) == 2


def test_a_traceback_is_set_in_and_forges_nothing(log):
    try:
        raise ValueError(f"no\n{FORGED}\x1b[2J")
    except ValueError:
        logging.getLogger("diagnosis").exception("It failed.")
    first, *rest = lines(log)
    assert first.endswith("It failed.")
    assert len(rest) > 3
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in log.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/patients/", {}, 403),
        ("/patients/", {"hx-request": "true"}, 403),
        ("/nothing/", {"accept": "application/json"}, 404),
        ("/api/v1/predict/", {"accept": "application/json"}, 403),
        ("/nothing/", {}, 404),
        ("/", {"host": "elsewhere.example"}, 400),
        ("/admin/patients/patient/?birth_date__gte=x", {}, None),
    ],
)
def test_an_expected_refusal_is_one_line(log, sign_in, patient_user, path, headers, status):
    answer = sign_in(patient_user).get(path, headers=headers)
    assert status in (None, answer.status_code)
    assert len(lines(log)) <= 1
    assert "Traceback" not in log.getvalue()


@pytest.mark.parametrize("text", ["Zoë O’Brien", "ณัฐวุฒิ", "a\tb", "", "張偉 🙂"])
def test_what_can_be_read_stays_as_it_is(text):
    assert printable(text) == text
