"""Connections that cannot be held for nothing: their number, and how long a head or an unread answer may take."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from crypto_bot.api.throttle import is_loopback

CONNECTIONS_MAX = 256
"""All connections; 64 of them are kept for callers on this machine, so that the stop button works from here."""
KEPT_FOR_LOOPBACK = 64
FROM_ONE_ADDRESS = 32
"""Connections of one address that is not this machine's own."""
HEAD_BYTES = 16_384
HEAD_S = 10.0
UNREAD_S = 30.0


class BoundedConnection(H11Protocol):
    """uvicorn's connection, ended when a request's head or a reader takes too long, or when there are too many."""

    _head_timer: asyncio.TimerHandle | None = None
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, or hang up when there is no place for it."""
        super().connection_made(transport)
        if self._is_too_many():
            transport.abort()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_head_timer()
        self._stop_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun must be whole in time."""
        super().data_received(data)
        self._await_head()

    def pause_writing(self) -> None:
        """Wait for the reader, but not for ever: a stream nobody reads is cut off."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the reader reads again."""
        self._stop_unread_timer()
        super().resume_writing()

    def _await_head(self) -> None:
        """Start the clock while a head is incomplete, and stop it when the request is there."""
        if self.conn.their_state is not h11.IDLE or self.timeout_keep_alive_task is not None:
            self._stop_head_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_S, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _is_too_many(self) -> bool:
        address = _address(self)
        others = [_address(each) for each in self.connections if isinstance(each, BoundedConnection)]
        if is_loopback(address):
            return len(others) > CONNECTIONS_MAX
        strangers = sum(not is_loopback(each) for each in others)
        return others.count(address) > FROM_ONE_ADDRESS or strangers > CONNECTIONS_MAX - KEPT_FOR_LOOPBACK


def _address(connection: H11Protocol) -> str:
    return "" if connection.client is None else connection.client[0]
