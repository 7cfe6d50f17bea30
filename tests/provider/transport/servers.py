"""Servers of this machine that do as a test says, over TLS where it says so."""

from __future__ import annotations

import copy
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from oauth_login.protocol.http import ProviderRequest
from oauth_login.provider.transport import RequestsTransport


class Server:
    """What a server saw: connections, requests, and what a handshake failed of."""

    def __init__(self, scheme: str, port: int, name: str) -> None:
        self.port = port
        self.url = f"{scheme}://{name}:{port}"
        self.seen: list[BaseHTTPRequestHandler] = []
        self.connections = 0
        self.errors: list[BaseException] = []
        self.closing = threading.Event()


Handle = Callable[[BaseHTTPRequestHandler, Server], object]


@contextmanager
def serving(
    handle: Handle,
    *,
    tls: ssl.SSLContext | None = None,
    name: str = "127.0.0.1",
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """Serve on `host`, known to clients as `name`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            state.connections += 1
            if tls is not None:
                # In the connection's own thread: no other waits for a slow one.
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            self.request.close()

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.body = self.rfile.read(length)
            self.peer = self.request.getpeercert() if tls else None
            # The next request of a kept connection comes to the same handler.
            state.seen.append(copy.copy(self))
            with suppress(ConnectionError, ssl.SSLError):  # the client had enough
                handle(self, state)

        do_POST = do_CONNECT = do_GET

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as there
            pass

    class Listener(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        block_on_close = False

        def server_bind(self) -> None:
            # HTTPServer's own asks the resolver for a name of this machine.
            self.socket.bind((host, 0))
            self.server_address = self.socket.getsockname()
            self.server_name, self.server_port = host, self.server_address[1]

        def handle_error(self, *args: Any) -> None:
            import sys

            if (error := sys.exc_info()[1]) is not None:
                state.errors.append(error)

    listener = Listener((host, 0), Handler)
    state = Server("https" if tls else "http", listener.server_port, name)
    thread = threading.Thread(target=listener.serve_forever, args=[0.02])
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


@contextmanager
def saying(
    *parts: bytes, tls: ssl.SSLContext | None = None, after: float = 0
) -> Iterator[Server]:
    """Answer whatever comes with these bytes, after some seconds, and hang up."""

    def say(handler: BaseHTTPRequestHandler, server: Server) -> None:
        handler.close_connection = True
        time.sleep(after)
        for part in parts:
            handler.wfile.write(part)

    with serving(say, tls=tls, name="localhost" if tls else "127.0.0.1") as server:
        yield server


def answer(
    handler: BaseHTTPRequestHandler,
    body: bytes = b"{}",
    status: int = 200,
    **headers: str,
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def get(url: str, **headers: str) -> ProviderRequest:
    return ProviderRequest("GET", url, "jwks", headers)


def post(url: str) -> ProviderRequest:
    return ProviderRequest("POST", url, "token", {}, {"code": "c"})


def transport(**options: Any) -> RequestsTransport:
    """A transport that may reach `internal`, a host on this machine, at any port."""
    hosts = OnAnyPort(options.pop("internal", "127.0.0.1"))
    return RequestsTransport(**{"internal_hosts": hosts, **options})


class OnAnyPort:
    """Servers of tests get their ports from the system."""

    def __init__(self, host: str) -> None:
        self._host = host

    def __contains__(self, host_and_port: object) -> bool:
        return isinstance(host_and_port, tuple) and host_and_port[0] == self._host
