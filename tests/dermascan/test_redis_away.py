"""The site stays fast when Redis stops or hangs while it runs."""

import logging
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache, caches
from django.test import Client

from dermascan.celery import app
from dermascan.core.background import enqueue_on_commit
from dermascan.models import ContactMessage
from tests.api.helpers import PREDICT, upload
from tests.factories import PASSWORD

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs a Redis server to stop"),
]


class Redis:
    """A Redis server that a test can stop."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _attempt in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis(settings) -> Iterator[Redis]:
    server = Redis()
    url = f"redis://127.0.0.1:{server.port}/0"
    settings.CACHES = {"default": {"BACKEND": "dermascan.redis_cache.RedisCache", "LOCATION": url}}
    before = {name: app.conf[name] for name in ("task_always_eager", "broker_url", "broker_transport_options")}
    app.conf.update(task_always_eager=False, broker_url=url, broker_transport_options={})
    yield server
    caches["default"]._cache.get_client().connection_pool.disconnect()  # type: ignore[attr-defined]
    app.conf.update(before)
    server.stop()


@pytest.fixture(params=["stop", "hang"])
def away(request, redis):
    """Stop or hang Redis after it has been used."""

    def _away() -> None:
        cache.set("warm", 1)
        assert cache.get("warm") == 1
        getattr(redis, request.param)()

    return _away


def within(seconds: float, do):
    began = time.monotonic()
    answer = do()
    assert time.monotonic() - began < seconds
    return answer


def enter(password: str, client: Client | None = None, login: str = "") -> int:
    return (client or Client()).post("/accounts/login/", {"login": login, "password": password}).status_code


def test_users_can_sign_in_and_attackers_are_limited(away, staff):
    away()
    client = Client()
    assert within(2.5, lambda: enter(PASSWORD, client, staff.user.username)) == 302
    assert within(1, lambda: client.get("/patients/").status_code) == 200
    guesses = within(4, lambda: [enter("wrong", login=f"somebody{n}") for n in range(11)])
    assert guesses == [200] * 10 + [429]


def test_limits_continue_when_it_stops_in_between(away):
    away()
    assert [enter("wrong", login=f"somebody{n}") for n in range(11)] == [200] * 10 + [429]


def test_the_public_pages_work(away, client, photograph, django_capture_on_commit_callbacks):
    away()
    assert within(4, lambda: client.post("/quick-check/", {"file": upload(photograph)})).status_code == 200
    form = {"name": "A", "email": "a@clinic.example", "message": "Hello, is anybody there?"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = within(3, lambda: client.post("/contact/", form))
    assert answer.status_code == 302
    assert ContactMessage.objects.count() == 1
    assert client.post("/accounts/password/reset/", {"email": "a@clinic.example"}).status_code == 302


def test_the_api_works(away, sign_in, staff, photograph, django_capture_on_commit_callbacks):
    client = sign_in(staff)
    away()
    with django_capture_on_commit_callbacks(execute=True):
        answer = within(5, lambda: client.post(PREDICT, {"file": upload(photograph)}))
    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_only_the_first_enqueue_waits(away, caplog):
    away()
    lost: list[int] = []

    def hand_over_twenty():
        for _number in range(20):
            enqueue_on_commit("diagnosis.assessment.tasks.write_explanation", "mel", "en", "patient")

    with caplog.at_level(logging.ERROR):
        within(
            2.5,
            lambda: enqueue_on_commit(
                "diagnosis.assessment.tasks.write_explanation", "mel", "en", "patient", if_lost=lambda: lost.append(1)
            ),
        )
        within(0.5, hand_over_twenty)
    assert lost == [1]
    assert len(caplog.records) == 21


@pytest.mark.django_db(transaction=True)
def test_earlier_tasks_are_still_queued(redis):
    enqueue_on_commit("diagnosis.assessment.tasks.write_explanation", "mel", "en", "patient")
    with app.connection_for_read() as connection:
        assert connection.channel().queue_declare("celery", passive=True).message_count == 1


def test_the_site_uses_it_again_when_it_is_back(redis, staff):
    cache.set("warm", 1)
    redis.hang()
    assert cache.get("warm") is None
    redis.go_on()
    deadline = time.monotonic() + 6
    while cache.get("warm") != 1 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert cache.get("warm") == 1


def test_the_status_reports_it_quickly(away, client):
    away()
    answer = within(4, lambda: client.get("/api/v1/status/"))
    assert answer.status_code == 503
    assert answer.json()["checks"]["queue"]["status"] == "failing"
