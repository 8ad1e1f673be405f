"""The file queue: no partial reads, no message is delivered twice, and broken messages block nothing."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from kombu import Connection, Queue
from kombu.exceptions import ChannelError

from dermascan.file_queue import Channel, Transport
from tests.places import ROOT


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "messages").mkdir()
    # Kombu stores bindings per process, whatever the folder.
    Transport.global_state.clear()
    yield tmp_path
    Transport.global_state.clear()


def connected(folder) -> Connection:
    options = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "control_folder": str(folder / "control"),
        "store_processed": False,
    }
    return Connection(transport=Transport, transport_options=options)


def test_the_site_uses_it():
    from dermascan.celery import app

    with app.connection_for_write("filesystem://localhost/") as connection:
        assert isinstance(connection.transport, Transport)


def test_messages_arrive_in_the_order_sent(folder):
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        for number in range(20):
            queue.put({"number": number})
        got = []
        for _ in range(20):
            message = queue.get(block=False)
            got.append(message.payload["number"])
            message.ack()
        assert got == list(range(20))
        with pytest.raises(queue.Empty):
            queue.get(block=False)
    assert list((folder / "messages").iterdir()) == []


def test_sending_while_another_thread_binds_the_queue_loses_nothing(folder, monkeypatch):
    is_binding, may_go_on = threading.Event(), threading.Event()
    really_bind = Channel._queue_bind

    def bind_slowly(self, *arguments):
        is_binding.set()
        assert may_go_on.wait(timeout=10)
        really_bind(self, *arguments)

    def send(number: int) -> None:
        with connected(folder) as connection:
            connection.SimpleQueue("work").put({"number": number})

    monkeypatch.setattr(Channel, "_queue_bind", bind_slowly)
    first, second = (threading.Thread(target=send, args=(number,)) for number in (1, 2))
    first.start()
    assert is_binding.wait(timeout=10)
    second.start()
    second.join(timeout=0.5)  # it would have finished if it did not wait for the first
    may_go_on.set()
    for sender in (first, second):
        sender.join(timeout=10)
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        assert {queue.get(block=False).payload["number"] for _ in range(2)} == {1, 2}


def test_a_queue_that_could_not_be_bound_is_bound_by_the_next_sender(folder):
    (folder / "control").write_text("in the way")
    with connected(folder) as connection, pytest.raises((ChannelError, OSError)):
        connection.SimpleQueue("work")
    (folder / "control").unlink()
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"number": 1})
        assert queue.get(block=False).payload == {"number": 1}


def test_a_partly_written_message_is_not_read(folder, monkeypatch):
    """A worker reads at the worst moment, when the file exists without its content."""
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        seen: list[Path] = []

        def look(self, content, *args, **kwargs):
            path_open(self, "", *args, **kwargs)
            with pytest.raises(queue.Empty):
                queue.get(block=False)
            seen.append(self)
            return path_open(self, content, *args, **kwargs)

        path_open = Path.write_text
        monkeypatch.setattr(Path, "write_text", look)
        queue.put({"number": 1})
        assert seen
        assert queue.get(block=False).payload == {"number": 1}


def test_a_broken_message_does_not_block_others(folder, caplog):
    (folder / "messages" / "00000000000000000000_half.work.msg").write_text('{"body": "')
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"number": 1})
        message = queue.get(block=False)
        assert message.payload == {"number": 1}
        message.ack()
    assert "half.work.msg in the queue is broken" in caplog.text
    assert list((folder / "messages").glob("*.msg")) == []


def test_a_broken_table_is_written_again(folder, caplog):
    (folder / "control").mkdir()
    (folder / "control" / "work.exchange").write_text("")
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"number": 1})
        assert queue.get(block=False).payload == {"number": 1}
    assert json.loads((folder / "control" / "work.exchange").read_text()) == [["work", "", "work"]]


def test_a_deleted_queue_is_removed_from_the_table(folder):
    with connected(folder) as connection:
        connection.SimpleQueue("work")
        other = Queue("other", exchange="work", routing_key="other")(connection.default_channel)
        other.declare()
        other.delete()
    assert json.loads((folder / "control" / "work.exchange").read_text()) == [["work", "", "work"]]


def test_a_missing_folder_is_reported(folder):
    with connected(folder) as connection:
        queue = connection.SimpleQueue("work")
        (folder / "messages").rmdir()
        with pytest.raises(ChannelError):
            connection.default_channel._put("work", {"number": 1})
        assert queue is not None


TAKE_ALL = """
import sys
from pathlib import Path
from tests.dermascan.test_file_queue import connected
with connected(Path(sys.argv[1])) as connection:
    queue = connection.SimpleQueue("work")
    while True:
        try:
            message = queue.get(timeout=2)
        except queue.Empty:
            break
        print(message.payload["number"], flush=True)
        message.ack()
"""


@pytest.mark.slow
def test_each_message_is_received_once_by_polling_workers(folder):
    """Two processes receive while two threads send: each message arrives complete and exactly once."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "dermascan.settings.test"}
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKE_ALL, str(folder)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]

    def send(first: int) -> None:
        with connected(folder) as connection:
            queue = connection.SimpleQueue("work")
            for number in range(first, first + 300):
                queue.put({"number": number, "padding": "x" * 20_000})
                time.sleep(0.002)

    senders = [threading.Thread(target=send, args=(first,)) for first in (0, 300)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    taken = Counter(number for taker in takers for number in taker.communicate(timeout=60)[0].split())
    assert [taker.returncode for taker in takers] == [0, 0]
    assert taken == Counter(str(number) for number in range(600))
