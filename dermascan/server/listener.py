"""A listening socket that accepts connections and closes those that take too long."""

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
        """Close overdue connections and, if the limit is reached, the one that has waited longest for its headers.

        Never call this during polling: a new connection may reuse the descriptor of one that was just closed.
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
        """Do nothing: waitress uses the system clock, and would close all connections when that is set forward."""

    def readable(self) -> bool:
        return bool(self.accepting) and not self._is_full()

    def _is_full(self) -> bool:
        return bool(len(self._map) >= self.adj.connection_limit)

    def stop_listening(self) -> None:
        self.is_stopping = True
        # Not close(), which would also close the trigger with which threads wake the reader.
        wasyncore.dispatcher.close(self)

    def is_busy(self) -> bool:
        """Return whether any client waits for a response; idle connections do not count."""
        return any(connection.is_busy for connection in self.active_channels.values())
