"""Shared fixtures: two clinics, their people, and real photographs."""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from dermascan.celery import app
from mlmodel.network.analyser import get_analyser
from mlmodel.network.tiers import OperatingPoints, Tier
from patients.models import Clinic, Member, Patient, Reading, Role, User
from tests import factories
from tests.engine_memory import remembered_answers
from tests.migrated import begin_with, keep, migrated_copy
from tests.places import ROOT

PHOTOGRAPHS = ROOT / "static" / "samples"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that parallel processes finish together.

    The order of tests within a file is kept.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
        browser = {item.path for item in items if item.get_closest_marker("browser")}
        items.sort(key=lambda item: (item.path not in browser, -slow[item.path]))


def pytest_collection_finish() -> None:
    """Exclude libraries and test modules from garbage collection, which then only scans objects made by tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def migrated_database(pytestconfig) -> Path:
    """Return the cached migrated SQLite database; see tests/migrated.py."""
    return migrated_copy(pytestconfig.cache.mkdir("migrated"))


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb, django_db_modify_db_settings, migrated_database) -> bool:
    return django_db_keepdb or begin_with(migrated_database)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, migrated_database) -> None:
    with django_db_blocker.unblock():
        keep(migrated_database)


@pytest.fixture(scope="session", autouse=True)
def _answers_are_remembered() -> Iterator[None]:
    """Cache the network's outputs, which depend only on the pixels, as tests/mlmodel verifies."""
    with remembered_answers():
        yield


@pytest.fixture(autouse=True)
def _empty_cache():
    """Clear the cache, in which throttles count, so that tests do not affect each other."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def photograph() -> bytes:
    """A 600×450 photograph of a melanoma."""
    return (PHOTOGRAPHS / "ISIC_0024310.jpg").read_bytes()


@pytest.fixture
def clinic(db) -> Clinic:
    return factories.ClinicFactory(name="Northside Clinic")


@pytest.fixture
def network_shown(clinic) -> None:
    """Have the clinic show the network's answer from the start, where a test is about what readers see beside it."""
    clinic.reading = Reading.NETWORK_SHOWN
    clinic.save(update_fields=["reading"])


@pytest.fixture
def other_clinic(db) -> Clinic:
    return factories.ClinicFactory(name="Harbour Clinic")


@pytest.fixture
def staff(clinic) -> Member:
    return factories.MemberFactory(clinic=clinic, role=Role.STAFF)


@pytest.fixture
def dermatologist(clinic) -> Member:
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


@pytest.fixture
def manager(clinic) -> Member:
    return factories.MemberFactory(clinic=clinic, role=Role.MANAGER)


@pytest.fixture
def stranger(other_clinic) -> Member:
    """A dermatologist of another clinic, who must not see this one's data."""
    return factories.MemberFactory(clinic=other_clinic, role=Role.DERMATOLOGIST)


@pytest.fixture
def patient(clinic) -> Patient:
    return factories.PatientFactory(clinic=clinic)


@pytest.fixture
def patient_user(patient) -> User:
    """The user account of ``patient``."""
    patient.user = factories.UserFactory()
    patient.save(update_fields=["user"])
    return patient.user


@pytest.fixture
def sign_in():
    """Return a client signed in as the given member or user."""

    def _sign_in(who: Member | User) -> Client:
        client = Client()
        client.force_login(who.user if isinstance(who, Member) else who)
        return client

    return _sign_in


@pytest.fixture
def mail_server(settings):
    """A local mail server used by the settings; see tests/mail_server.py."""
    from tests.mail_server import MailServer

    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_TIMEOUT = 0.5
        yield server


@pytest.fixture
def gemini(settings):
    """A local Gemini server used by the settings; see tests/gemini_server.py."""
    from tests.gemini_server import KEY, GeminiServer

    with GeminiServer() as server:
        settings.GEMINI_API_KEY = KEY
        settings.GEMINI_BASE_URL = server.url
        yield server


@pytest.fixture
def every_result_is(monkeypatch) -> Callable[[str], None]:
    """Move the network's thresholds so that every photograph falls into the given tier."""

    def _every_result_is(tier: str) -> None:
        analyser = get_analyser()
        points = analyser.operating_points
        urgent, watch = {Tier.URGENT: (0.0, 0.0), Tier.WATCH: (2.0, 0.0), Tier.CALM: (2.0, 2.0)}[Tier(tier)]
        moved = OperatingPoints(
            urgent=replace(points.urgent, threshold=urgent), watch=replace(points.watch, threshold=watch)
        )
        # As if it had been released with these thresholds.
        monkeypatch.setattr(analyser, "released_points", moved)
        monkeypatch.setattr(analyser, "operating_points", moved)

    return _every_result_is


@pytest.fixture
def unreachable_broker() -> Iterator[None]:
    """Celery as in a clinic, with a broker that does not answer."""
    configured = app.conf
    before = {name: configured[name] for name in ("task_always_eager", "broker_url", "broker_transport_options")}
    configured.update(
        task_always_eager=False, broker_url="amqp://user:hunter2@127.0.0.1:9//", broker_transport_options={}
    )
    _forget_connections()
    yield
    configured.update(before)
    _forget_connections()


def _forget_connections() -> None:
    app._pool = None
    app.amqp._producer_pool = None
