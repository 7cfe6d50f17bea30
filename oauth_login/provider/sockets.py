"""Connections with a total timeout and a check of the address that they lead to.

urllib3 opens every connection through `_new_conn`. Here that method asks the `Watch` of
the current exchange.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Collection, Container, Iterator
from contextvars import ContextVar
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util.connection import create_connection

from oauth_login.provider.ssrf import Zone, zone_of

# The end of the login under way in this thread or task, by time.monotonic().
_login_ends_at: ContextVar[float | None] = ContextVar("login_ends_at", default=None)


class AddressRefusedError(Exception):
    """A host has an address that it may not have; `zone` says which kind."""

    def __init__(self, zone: Zone) -> None:
        super().__init__(zone)
        self.zone = zone


@contextlib.contextmanager
def login_deadline(seconds: float) -> Iterator[None]:
    """All exchanges of the block together end after `seconds` (T155).

    A provider that answers each request just in time would otherwise hold a thread for
    several times as long.
    """
    token = _login_ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _login_ends_at.reset(token)


class Watch:
    """Ends one exchange after `timeout` seconds, and checks the addresses it uses.

    `internal_hosts` are the hosts with their ports that may lie inside the network or
    on this machine, because the provider's own settings name them.
    """

    def __init__(
        self, internal_hosts: Container[tuple[str, int]], *, timeout: float
    ) -> None:
        self.ended = False
        self._internal_hosts = internal_hosts
        ends_at = _login_ends_at.get()
        if ends_at is not None:
            timeout = min(timeout, max(ends_at - time.monotonic(), 0.0))
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._connection: _WatchedConnection | None = None
        self._socket: socket.socket | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the connections of this thread."""
        # A socket's own timeout restarts with each read. Only this timer stops a server
        # that sends one byte at a time (T51).
        timer = threading.Timer(self._timeout, self._end)
        timer.daemon = True
        timer.start()
        _current.watch = self
        try:
            yield
        finally:
            _current.watch = None
            timer.cancel()

    def connect(self, connection: _WatchedConnection, timeout: float) -> socket.socket:
        """A socket to one of the host's addresses; OSError if none accepts.

        Checks the addresses and not the name, because one host has many spellings. The
        checked addresses are then connected to without a second lookup, which could
        return others.
        """
        # `_dns_host` keeps a trailing dot, which makes the name fully qualified.
        addresses = _addresses_of(connection._dns_host, connection.port)
        # With a proxy, the connection is to the proxy, which the settings name.
        if connection.proxy is None:
            self._check(addresses, connection)
        error: OSError = OSError("the host has no address")
        for address in addresses:
            try:
                opened = create_connection(
                    (address, connection.port),
                    self._seconds(timeout),
                    socket_options=connection.socket_options,
                )
                # The TLS handshake that follows has only the remaining time.
                opened.settimeout(self._seconds(timeout))
            except OSError as failure:
                error = failure
            else:
                return opened
        raise error

    def use(self, connection: _WatchedConnection, opened: socket.socket) -> None:
        """Remember the connection that the exchange uses from now on."""
        self._connection, self._socket = connection, opened
        connection.watch = self
        if self.ended:
            self._end()

    def _seconds(self, timeout: float) -> float:
        """`timeout`, or the remaining time if less; TimeoutError if none is left."""
        seconds = min(timeout, self._deadline - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def _check(
        self, addresses: Collection[str], connection: _WatchedConnection
    ) -> None:
        """T49: what a host resolves to permits nothing, its name in the settings does.

        The owner of a name may change its addresses at every request.
        """
        zones = {zone_of(address) for address in addresses}
        if Zone.NOWHERE in zones:
            raise AddressRefusedError(Zone.NOWHERE)
        is_named = (connection.host.lower(), connection.port) in self._internal_hosts
        if not is_named and zones - {Zone.INTERNET}:
            raise AddressRefusedError(max(zones))

    def _end(self) -> None:
        """Close the connection. Called by the timer, in the timer's thread."""
        self.ended = True
        # A connection whose response was read may already serve another exchange.
        if self._connection is not None and self._connection.watch is self:
            # Another thread may have closed it just now. A TLS socket's own shutdown
            # would drop the TLS state under the thread that reads.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # type: ignore[arg-type] # set with it


class WatchedAdapter(HTTPAdapter):
    """requests' adapter, with connections that ask the watch of their thread."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_watched_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _use_watched_pools(manager)
        return manager


class _Current(threading.local):
    """The exchange of this thread; urllib3 has no way to pass it to a connection."""

    watch: Watch | None = None


_current = _Current()


def _watch() -> Watch:
    if _current.watch is None:
        raise RuntimeError("these connections need a Watch")
    return _current.watch


class _WatchedConnection(HTTPConnection):
    watch: Watch | None = None

    def _new_conn(self) -> socket.socket:
        """Like urllib3's own method, with the same errors."""
        try:
            opened = _watch().connect(self, float(self.timeout or 0))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "not connected") from error
        _watch().use(self, opened)  # a proxy answers before TLS begins
        return opened

    def _tunnel(self) -> None:
        super()._tunnel()
        # If the timer closed the connection, the proxy's response looks complete.
        if _watch().ended:
            raise TimeoutError

    def connect(self) -> None:
        super().connect()
        _watch().use(self, self.sock)  # TLS has replaced the socket

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            _watch().use(self, self.sock)  # kept alive from an earlier exchange
        super().request(*args, **kwargs)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


def _use_watched_pools(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _addresses_of(host: str, port: int | None) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # the idna codec: a label is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
