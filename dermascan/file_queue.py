"""A Celery broker for installations without Redis: each message is a file in a folder.

Kombu's filesystem transport writes a message under its final name, so a worker may read a partial file and stop. Here
a message is written to a temporary file and renamed, and a worker claims a message by renaming it, which only one
worker can do.
"""

import fcntl
import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)
_WAITING, TAKEN, BROKEN = ".msg", ".taken", ".broken"
_BINDING = threading.Lock()


class Channel(filesystem.Channel):
    def _put(self, queue: str, message: dict[str, Any], **_options: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}{_WAITING}"
        try:
            _write_atomically(Path(self.data_folder_out) / name, message)
        except OSError as error:
            raise ChannelError(f"Cannot add {name} to the queue.") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}{_WAITING}":
                continue
            taken = folder / f"{name}{TAKEN}"
            try:
                (folder / name).rename(taken)
                message = loads(taken.read_bytes().decode())
                if not _is_message(message):
                    raise ValueError("not a message")
                taken.unlink()
                return message
            except FileNotFoundError:  # another worker claimed it
                continue
            except ValueError:
                # A power cut may leave such a file. It is set apart for the operator, and the queue goes on.
                taken.rename(folder / f"{name}{BROKEN}")
                logger.error("Message %s in the queue is broken: it was renamed to %s%s.", name, name, BROKEN)
            except OSError as error:
                raise ChannelError(f"Cannot read {name} from the queue.") from error
        raise Empty

    def queue_bind(self, queue: str, exchange: Any = None, routing_key: Any = "", *more: Any, **options: Any) -> None:
        # Kombu marks a queue as bound, for the whole process, before it writes the exchange table. A message sent in
        # between, or after the write failed, would find no queue and be lost.
        with _BINDING:
            try:
                super().queue_bind(queue, exchange, routing_key, *more, **options)
            except BaseException:
                self.state.binding_delete(queue, exchange or "amq.direct", routing_key)
                raise

    def get_table(self, exchange: str) -> list[Any]:
        try:
            return list(super().get_table(exchange))
        except ValueError:
            logger.error("The table of exchange %r is broken; the next consumer writes it again.", exchange)
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self.control_folder.mkdir(exist_ok=True)
        with self._locked_table(exchange) as table:
            if bound not in table:
                table.insert(0, bound)

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: str, *arguments: Any, **options: Any
    ) -> None:
        virtual.Channel._delete(self, queue, exchange, routing_key, pattern, *arguments, **options)
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._locked_table(exchange) as table:
            if bound in table:
                table.remove(bound)

    @contextmanager
    def _locked_table(self, exchange: str) -> Iterator[list[Any]]:
        """Yield the exchange table under a lock, and write it back if it was changed."""
        file: Path = self._exchange_file(exchange)
        try:
            with file.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                table = self.get_table(exchange)
                before = list(table)
                yield table
                if table != before:
                    _write_atomically(file, table)
        except OSError as error:
            raise ChannelError(f"Cannot change {file.name}.") from error


class Transport(filesystem.Transport):
    Channel = Channel


def _is_message(message: Any) -> bool:
    """Return whether the content has the fields without which Kombu stops its worker."""
    if not isinstance(message, dict) or not isinstance(message.get("body"), str):
        return False
    properties = message.get("properties")
    return (
        isinstance(message.get("headers", {}), dict)
        and isinstance(properties, dict)
        and isinstance(properties.get("delivery_info"), dict)
        and "delivery_tag" in properties
    )


def _write_atomically(path: Path, content: Any) -> None:
    """Write JSON to ``path`` atomically."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_text(dumps(content))
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
