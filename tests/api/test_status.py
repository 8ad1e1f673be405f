import json
import shutil

import pytest
import redis
from django.db import connection
from django.test import Client

from dermascan.celery import app
from mlmodel.network import analyser as analysis
from mlmodel.network.analyser import get_analyser
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import SHIPPED
from tests.api.helpers import STATUS

SECRETS = ("secret", "/tmp", "/work", "queue/messages", "Traceback", "Error", "redis", "s3cr3t")


@pytest.fixture
def broker():
    """Point the task system at another broker, and back."""
    before = {name: app.conf[name] for name in ("broker_url", "broker_transport_options")}
    yield lambda url, **options: app.conf.update(broker_url=url, broker_transport_options=options)
    app.conf.update(before)


@pytest.fixture
def queue_folder(broker, tmp_path):
    folder = tmp_path / "queue" / "messages"
    control = tmp_path / "queue" / "control"
    broker("filesystem://", data_folder_in=str(folder), data_folder_out=str(folder), control_folder=str(control))
    return folder


@pytest.mark.django_db
def test_everything_is_up(queue_folder):
    response = Client().get(STATUS)
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "status": "ok",
        "model_version": get_analyser().version,
        "checks": {
            "database": {"status": "ok"},
            "engine": {"status": "ok"},
            "queue": {"status": "ok", "waiting": 0},
            "workers": {"status": "ok", "alive": 0, "lost": []},
            "files": {"status": "ok"},
            "messages": {
                "status": "ok",
                "waiting": 0,
                "late": 0,
                "undelivered": 0,
                "oldest_seconds": 0,
                "mail_server": True,
            },
        },
    }


@pytest.mark.django_db
def test_head_says_the_same_without_words(queue_folder):
    response = Client().head(STATUS)
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.django_db
def test_a_bad_token_does_not_matter(queue_folder):
    assert Client(headers={"authorization": "Token nonsense"}).get(STATUS).status_code == 200


@pytest.mark.django_db
def test_waiting_tasks_are_counted(queue_folder):
    Client().get(STATUS)
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        for number in range(3):
            producer.publish({"number": number}, routing_key="celery", exchange="")
    assert Client().get(STATUS).json()["checks"]["queue"] == {"status": "ok", "waiting": 3}


@pytest.mark.django_db
def test_redis_is_asked_too(broker, redis_url):
    broker(redis_url)
    assert Client().get(STATUS).json()["checks"]["queue"] == {"status": "ok", "waiting": 0}
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("celery", "one", "two")
    assert Client().get(STATUS).json()["checks"]["queue"] == {"status": "ok", "waiting": 2}


def failing(response) -> list[str]:
    """The parts that fail; the answer must say so and nothing that would help an attacker."""
    assert response.status_code == 503
    answer = response.json()
    assert answer["status"] == "failing"
    assert not [word for word in SECRETS if word in json.dumps(answer)]
    return [name for name, check in answer["checks"].items() if check["status"] != "ok"]


@pytest.mark.django_db
def test_a_queue_that_cannot_be_written_is_503(queue_folder, caplog):
    queue_folder.parent.mkdir(parents=True)
    queue_folder.write_text("a file where the folder should be")
    assert failing(Client().get(STATUS)) == ["queue"]
    assert "status check of the queue failed" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["redis://:s3cr3t@127.0.0.1:1/0", "amqp://guest:s3cr3t@127.0.0.1:1//"])
def test_a_broker_that_does_not_answer_is_503(broker, url):
    broker(url)
    assert failing(Client().get(STATUS)) == ["queue"]


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_a_network_that_cannot_be_trusted_is_503(queue_folder, monkeypatch, tmp_path, harm, caplog):
    folder = tmp_path / "shipped"
    shutil.copytree(SHIPPED, folder)
    head = folder / "head.npz"
    head.unlink() if harm == "missing" else head.write_bytes(head.read_bytes() + b"!")
    monkeypatch.setattr(analysis, "_analyser", None)
    monkeypatch.setattr(analysis, "load_release", lambda: load_release(folder))
    response = Client().get(STATUS)
    assert failing(response) == ["engine"]
    assert response.json()["model_version"] is None


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_503(queue_folder, caplog):
    def refuse(*_arguments):
        raise RuntimeError("no secret connection")

    with connection.execute_wrapper(refuse):
        response = Client().get(STATUS)
    assert failing(response) == ["database", "messages"]


@pytest.mark.django_db
def test_no_room_for_photographs_is_503(queue_folder, settings, caplog):
    settings.LEAST_FREE_MEGABYTES = 10**9
    assert failing(Client().get(STATUS)) == ["files"]
    assert "are free for photographs" in caplog.text


@pytest.mark.django_db
def test_a_folder_of_photographs_that_cannot_be_written_is_503(queue_folder, settings, tmp_path):
    (tmp_path / "media").write_text("a file where the folder should be")
    settings.MEDIA_ROOT = tmp_path / "media"
    assert failing(Client().get(STATUS)) == ["files"]


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["[]", "", "null", "{}", '{"body": "e30="}', '{"body": "", "properties": []}'])
def test_a_broken_message_is_put_aside_and_told(queue_folder, content, caplog):
    queue_folder.mkdir(parents=True)
    (queue_folder / "00000000000000000001_x.celery.msg").write_text(content)
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        producer.publish({"number": 1}, routing_key="celery", exchange="")
        message = connection.channel().basic_get("celery", no_ack=True)
    assert message is not None
    assert message.payload == {"number": 1}
    assert [path.name for path in queue_folder.iterdir()] == ["00000000000000000001_x.celery.msg.broken"]
    assert failing(Client().get(STATUS)) == ["queue"]
