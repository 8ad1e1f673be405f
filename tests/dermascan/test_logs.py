"""A log record is one line whatever the request, and an expected refusal has no traceback."""

import io
import logging
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.expressions import RawSQL
from django.test import Client
from gunicorn.config import Config

from dermascan.celery import use_line_formatter
from dermascan.logs import ExpectedRefusal, LineFormatter, printable
from patients.models import Patient
from tests import factories

FORGED = "2026-01-01 00:00:00,000 INFO forged: all is well"


@pytest.fixture
def log():
    """The output of the configured handler."""
    output = io.StringIO()
    configured: Any = settings.LOGGING["formatters"]["line"]  # type: ignore[index]
    handler = logging.StreamHandler(output)
    handler.setFormatter(LineFormatter(configured["format"], style=configured["style"]))
    handler.addFilter(ExpectedRefusal())
    logging.getLogger().addHandler(handler)
    yield output
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
def test_a_path_cannot_colour_a_line_or_change_its_direction(log, mark):
    Client().get(f"/nothing{mark}")
    assert mark not in log.getvalue()
    assert len(lines(log)) == 1


def test_names_of_files_and_users_cannot_either(log):
    logging.getLogger("diagnosis").error("The file %s is missing.", f"mole.jpg\n{FORGED}")
    logging.getLogger("patients").error("%s signed in", {"name": f"a\u2028{FORGED}"})
    assert len(lines(log)) == 2


def test_a_traceback_is_indented_and_forges_nothing(log):
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
def test_printable_text_is_unchanged(text):
    assert printable(text) == text


@pytest.fixture
def server_log():
    """The web server's log, as configured for the site."""
    configuration = runpy.run_path(str(Path(settings.BASE_DIR, "deploy", "gunicorn.conf.py")))
    loggers = [logging.getLogger(name) for name in ("gunicorn.error", "gunicorn.access")]
    before = [list(logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.handlers.clear()
    config = Config()
    config.set("accesslog", configuration["accesslog"])
    config.set("errorlog", configuration["errorlog"])
    server = configuration["logger_class"](config)
    output = io.StringIO()
    (handler,) = server.error_log.handlers
    handler.setStream(output)
    yield server, lambda: output.getvalue().splitlines()
    for logger, handlers in zip(loggers, before, strict=True):
        logger.handlers[:] = handlers


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\x1b[2J", "\u202e", "\x9b31m"])
def test_a_malformed_request_forges_no_line(server_log, mark):
    server, output = server_log
    server.warning(f"Invalid request from ip=192.0.2.7: Invalid HTTP request line: 'GET /{mark}{FORGED}'")
    server.error("Error handling request %s %s", "GET", f"/{mark}{FORGED}")
    lines = output()
    assert len(lines) == 2
    assert all("[WARNING]" in line or "[ERROR]" in line for line in lines)
    assert not any(line.startswith("2026-01-01") for line in lines)
    assert mark not in "".join(lines)


def test_a_traceback_of_the_server_forges_no_line_either(server_log):
    server, output = server_log
    try:
        raise ValueError(f"no\n{FORGED}\x1b[2J")
    except ValueError:
        server.exception("Error handling request %s", f"/\n{FORGED}")
    first, *rest = output()
    assert "Error handling request" in first
    assert len(rest) > 2
    assert all(line.startswith("    ") for line in rest)


@pytest.mark.parametrize("query", ["?q=Ungern", "?q=O'Brien Ungern", '?q="Ungern" HTTP/1.1', "??Ungern&x='?Ungern"])
def test_the_server_logs_no_query_string(server_log, query):
    server, output = server_log
    server.warning(f"Invalid request from ip=192.0.2.7: Invalid HTTP request line: 'GET /patients/{query}'")
    try:
        raise ValueError(f"/patients/{query}")
    except ValueError:
        server.exception("Error handling request %s %s", "GET", f"/patients/{query}")
    text = "\n".join(output())
    assert text.count("/patients/") >= 3
    assert "Ungern" not in text


@pytest.mark.django_db
@pytest.mark.services
@pytest.mark.skipif(connection.vendor != "postgresql", reason="what PostgreSQL says")
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"sex": "Ungern\n1"}, "SQLSTATE 23514 patient_sex_is_known patients_patient"),
        ({"record_number": "Ungern-1"}, "SQLSTATE 23505 record_number_is_unique_in_the_clinic patients_patient"),
        ({"record_number": "Ungern" * 9}, "SQLSTATE 22001"),
        ({"birth_date": RawSQL("%s::date", ["Ungern\n1"])}, "SQLSTATE 22007"),
    ],
)
def test_postgresql_adds_no_values_to_the_log(log, clinic, wrong, code):
    """Neither from a row that violates a constraint, nor from a statement, by any logger."""
    factories.PatientFactory(clinic=clinic, record_number="Ungern-1")
    patient = factories.PatientFactory(clinic=clinic, family_name="Ungern\nSternberg")
    try:
        with transaction.atomic():
            Patient.objects.filter(pk=patient.pk).update(**wrong)
    except DatabaseError as error:
        logging.getLogger("diagnosis").exception("It failed.")
        logging.getLogger("diagnosis").error("It failed: %s", error)
        logging.getLogger("celery").error("Task raised unexpected: %(exc)s", {"exc": repr(error)}, exc_info=True)
    assert log.getvalue().count(code) >= 4, log.getvalue()
    assert "Ungern" not in log.getvalue()


def test_a_task_forges_no_line():
    output = io.StringIO()
    logger = logging.Logger("celery.task")
    logger.addHandler(logging.StreamHandler(output))
    use_line_formatter(logger=logger)
    logger.error("%s is broken", f"mole.jpg\n{FORGED}")
    (line,) = lines(output)
    assert "mole.jpg\\x0a" in line
