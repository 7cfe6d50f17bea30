"""The only socket: requests to one provider over kept-alive connections.

`requests` is used without its Session, which would follow redirects, keep cookies,
and take passwords from `.netrc` and proxies from the environment (E2, T46 to T48).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Collection, Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.protocol.wire import MAX_BODY, ProviderRequest, ProviderResponse

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 5.0
TOTAL_TIMEOUT = 15.0


class RequestsTransport:
    """Sends what the rules ask for, and reads no more of the answer than they need.

    TLS is always verified, against `ca_bundle` (a path) where one is given. All times
    are in seconds; `total_timeout` covers everything from the first connection to the
    last byte, a retry included. `issuer_host` and `backend_host` are what the site's
    settings name: only these may lie inside the network, and others only beside them
    (T49). `client_cert` is the path of a certificate, or its and its key's.
    """

    def __init__(
        self,
        *,
        issuer_host: str,
        total_timeout: float = TOTAL_TIMEOUT,
        ca_bundle: str | None = None,
        client_cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        backend_host: str | None = None,
    ) -> None:
        self._verify = ca_bundle or True
        self._client_cert = client_cert
        self._proxies = dict(proxies or {})
        self._total_timeout = total_timeout
        self._adapter = _Adapter(pool_maxsize=10)
        self._known_hosts = {issuer_host, *filter(None, [backend_host])}

    def send(self, request: ProviderRequest) -> ProviderResponse:
        """The provider's answer, whatever it is, or ProviderUnavailable."""
        watch = _Watch(self._known_hosts, proxied=bool(self._proxies))
        # A timeout of a socket is for each read: a server that drips a byte now and
        # then is cut off by nobody but this timer (T51).
        timer = threading.Timer(self._total_timeout, watch.end)
        timer.daemon = True
        timer.start()
        _current.watch = watch
        try:
            return self._send(request, watch)
        finally:
            _current.watch = None
            timer.cancel()

    def _send(self, request: ProviderRequest, watch: _Watch) -> ProviderResponse:
        # A code is good for one try; a document can be asked for again.
        tries = 2 if request.method == "GET" else 1
        while True:
            tries -= 1
            try:
                return self._exchange(request, watch)
            except _AddressRefusedError:
                raise InvalidProviderResponse(
                    "discovery.insecure_endpoint", received=request.url
                ) from None
            except (requests.exceptions.SSLError, urllib3.exceptions.SSLError):
                raise ProviderUnavailable("transport.tls", url=request.url) from None
            except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
                raise ProviderUnavailable(
                    "transport.timeout", url=request.url
                ) from None
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
                if watch.ended or not tries:
                    raise watch.failure(request) from None

    def _exchange(self, request: ProviderRequest, watch: _Watch) -> ProviderResponse:
        prepared = requests.Request(
            request.method,
            request.url,
            headers={
                "User-Agent": "oauth_login",
                # What is unpacked may be a thousand times what was sent.
                "Accept-Encoding": "identity",
                **request.headers,
            },
            data=request.form,
        ).prepare()
        response = self._adapter.send(
            prepared,
            stream=True,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            verify=self._verify,
            cert=self._client_cert,
            proxies=self._proxies,
        )
        try:
            body = response.raw.read(MAX_BODY + 1, decode_content=False)
        finally:
            response.close()
        # A body that ends because we hung up looks whole if it has no length.
        if watch.ended:
            raise watch.failure(request)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return ProviderResponse(response.status_code, headers, body)


class _AddressRefusedError(Exception):
    """The host resolves to an address inside the network."""


class _Watch:
    """One exchange: ends it in time, and looks at the other end's address."""

    def __init__(self, known_hosts: Collection[str], *, proxied: bool) -> None:
        self.ended = False
        self._known_hosts = known_hosts
        self._proxied = proxied
        self._socket: socket.socket | None = None

    def end(self) -> None:
        """Hang up. Called by a timer, in its own thread."""
        self.ended = True
        if self._socket is not None:
            # It may have been closed just now. A TLS socket's own shutdown would take
            # the cipher away under the thread that is reading.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def failure(self, request: ProviderRequest) -> ProviderUnavailable:
        cause = "timeout" if self.ended else "connection"
        return ProviderUnavailable(f"transport.{cause}", url=request.url)

    def connected(self, connection: HTTPConnection) -> None:
        """Called with an open connection before anything is sent over it."""
        self._socket = connection.sock
        if self.ended:
            self.end()
        if self._proxied or connection.host in self._known_hosts:
            return
        # The address we are connected to, not the name: names have many spellings
        # (E3), and may lead elsewhere a moment later.
        if _is_internal(connection.sock.getpeername()[0]) and not any(
            _is_internal(str(info[4][0]))
            for host in self._known_hosts
            for info in socket.getaddrinfo(host, None)
        ):
            raise _AddressRefusedError


def _is_internal(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    # ::ffff:127.0.0.1 is 127.0.0.1
    mapped = getattr(ip, "ipv4_mapped", None)
    return not (mapped or ip).is_global


class _Current(threading.local):
    """The exchange that this thread is in; urllib3 has no way to pass it along."""

    watch: _Watch | None = None


_current = _Current()


class _WatchedConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        if _current.watch is not None:
            _current.watch.connected(self)
        super().request(*args, **kwargs)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class _Adapter(HTTPAdapter):
    """requests' own adapter, with connections that tell the watch of themselves."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_watched_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _use_watched_pools(manager)
        return manager


def _use_watched_pools(manager: urllib3.PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
