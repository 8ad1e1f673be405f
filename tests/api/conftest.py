import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from django.test import Client

from patients.models import Lesion, Member, User, Visit
from tests import factories


@pytest.fixture(autouse=True)
def media(settings, tmp_path) -> None:
    """A folder of the test's own: what is kept in it, the test has kept."""
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def api() -> Callable[[Member | User], Client]:
    """Return a client that sends a token of the given member; whoever can have none comes with a session."""

    def _api(who: Member | User) -> Client:
        if isinstance(who, Member):
            return Client(headers={"authorization": f"Token {factories.api_key(who)}"})
        client = Client()
        client.force_login(who)
        return client

    return _api


@pytest.fixture
def lesion(patient) -> Lesion:
    return factories.LesionFactory(patient=patient, number=1)


@pytest.fixture
def visit(patient) -> Visit:
    return factories.VisitFactory(patient=patient)


@pytest.fixture
def other_lesion(other_clinic) -> Lesion:
    """A lesion of a patient of the other clinic."""
    return factories.LesionFactory(patient__clinic=other_clinic, number=1)


@pytest.fixture
def other_visit(other_lesion) -> Visit:
    return factories.VisitFactory(patient=other_lesion.patient)


@pytest.fixture
def redis_url(tmp_path) -> Iterator[str]:
    """A Redis of the test's own; where none is installed the test is skipped."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        url = f"redis://127.0.0.1:{port}/0"
        try:
            _wait_for(url)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for _attempt in range(100):
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
    raise AssertionError("Redis did not start.")
