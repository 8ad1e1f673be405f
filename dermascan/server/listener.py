"""The listening side of one socket: it takes connections, and closes those that take too long."""

import time
from typing import Any

from waitress import wasyncore
from waitress.server import TcpWSGIServer

from dermascan.server.connection import Connection


class Listener(TcpWSGIServer):
    channel_class = Connection
    is_stopping = False
    active_channels: dict[int, Connection]

    def __init__(self, *arguments: Any, log: Any, **options: Any) -> None:
        self.log = log
        super().__init__(*arguments, **options)

    def close_overdue(self) -> None:
        """Close who takes too long, and where there is no more room, who has been longest at a request's head.

        Not while sockets are polled: the next connection may get the number of one that was closed meanwhile.
        """
        now = time.monotonic()
        connections = list(self.active_channels.values())
        for connection in connections:
            if connection.is_overdue(now):
                connection.will_close = True
        if self._is_full():
            waiting = [connection for connection in connections if connection.is_before_its_request]
            if waiting:
                min(waiting, key=lambda connection: connection.waiting_since).handle_close()

    def maintenance(self, now: float) -> None:
        """Nothing: waitress would go by the wall clock, and close everybody when that is set forward."""

    def readable(self) -> bool:
        return bool(self.accepting) and not self._is_full()

    def _is_full(self) -> bool:
        return bool(len(self._map) >= self.adj.connection_limit)

    def stop_listening(self) -> None:
        self.is_stopping = True
        # Not close(): that would take the bell along by which threads wake the reading one.
        wasyncore.dispatcher.close(self)

    def is_busy(self) -> bool:
        """Whether anybody still waits for an answer. For who only keeps a connection open, nobody waits."""
        return any(connection.is_busy for connection in self.active_channels.values())
