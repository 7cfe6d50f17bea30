"""Connections that end in time, and lead nowhere that they must not.

urllib3 makes one connection after the other, each in the end through `_new_conn`; here
that asks the watch of the exchange that it is for.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Collection, Iterator
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

from oauth_login.provider.ssrf import may_be_reached


class AddressRefusedError(Exception):
    """The host resolves to an address inside the network."""


class Watch:
    """Of one exchange: ends it after `timeout` seconds, and judges where it leads.

    `known_hosts` are those that the site's settings name; these may lie anywhere.
    """

    def __init__(self, known_hosts: Collection[str], *, timeout: float) -> None:
        self.ended = False
        self._known_hosts = known_hosts
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._connection: _WatchedConnection | None = None
        self._socket: socket.socket | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what this thread does."""
        # A timeout of a socket is for each read: a server that drips a byte now and
        # then is cut off by nobody but this timer (T51).
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
        """A socket to one of the host's addresses; OSError if none can be had.

        The addresses are judged, not the name: names have many spellings (E3). And it
        is these that are then used: the name may lead elsewhere a moment later.
        """
        # With a dot at its end, a name means the same wherever it is looked up.
        addresses = _addresses_of(connection._dns_host, connection.port)
        # Through a proxy we only ever reach the proxy, which the settings name.
        if connection.proxy is None and connection.host not in self._known_hosts:
            self._check(addresses)
        error: OSError = OSError("there is no address")
        for address in addresses:
            try:
                opened = create_connection(
                    (address, connection.port),
                    self._seconds(timeout),
                    socket_options=connection.socket_options,
                )
                # What comes next, a TLS handshake, has that much time in all.
                opened.settimeout(self._seconds(timeout))
            except OSError as failure:
                error = failure
            else:
                return opened
        raise error

    def use(self, connection: _WatchedConnection, opened: socket.socket) -> None:
        """This is what the exchange goes over, from now on."""
        self._connection, self._socket = connection, opened
        connection.watch = self
        if self.ended:
            self._end()

    def _seconds(self, timeout: float) -> float:
        """As long, or what is left; TimeoutError if that is nothing."""
        seconds = min(timeout, self._deadline - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def _check(self, addresses: Collection[str]) -> None:
        known = [a for host in self._known_hosts for a in _addresses_or_none(host)]
        if not all(may_be_reached(a, known_addresses=known) for a in addresses):
            raise AddressRefusedError

    def _end(self) -> None:
        """Hang up. Called by the timer, in its own thread."""
        self.ended = True
        # A connection that was read to the end may serve another exchange already.
        if self._connection is not None and self._connection.watch is self:
            # It may have been closed just now. A TLS socket's own shutdown would take
            # the cipher away under the thread that is reading.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # type: ignore[arg-type] # set with it


class WatchedAdapter(HTTPAdapter):
    """requests' own adapter, with connections that ask the watch of their thread."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_watched_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _use_watched_pools(manager)
        return manager


class _Current(threading.local):
    """The exchange that this thread is in; urllib3 has no way to pass it along."""

    watch: Watch | None = None


_current = _Current()


def _watch() -> Watch:
    if _current.watch is None:
        raise RuntimeError("these connections are for watched exchanges only")
    return _current.watch


class _WatchedConnection(HTTPConnection):
    watch: Watch | None = None

    def _new_conn(self) -> socket.socket:
        """As urllib3's own, error for error."""
        try:
            opened = _watch().connect(self, float(self.timeout or 0))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "not connected") from error
        _watch().use(self, opened)  # a proxy is talked to before there is TLS
        return opened

    def _tunnel(self) -> None:
        super()._tunnel()
        # If we hung up, the proxy's answer looks like one that ended there.
        if _watch().ended:
            raise TimeoutError

    def connect(self) -> None:
        super().connect()
        _watch().use(self, self.sock)  # for TLS it is another one now

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            _watch().use(self, self.sock)  # kept from an exchange before
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
    except UnicodeError:  # a label that is empty or too long, says the codec
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _addresses_or_none(host: str) -> list[str]:
    try:
        return _addresses_of(host, None)
    except OSError:
        return []
