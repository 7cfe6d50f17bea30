"""Connect a FakeProvider to requests: through `responses`, or on a loopback socket."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from oauth_login.testing.answer import Answer, NoAnswer, SlowAnswer
from oauth_login.testing.provider import FakeProvider

if TYPE_CHECKING:
    import responses

# Loopback only: a provider without passwords must not be reachable from outside.
HOST = "127.0.0.1"
MAX_BODY = 1024 * 1024
DRIP_INTERVAL = 0.1
DRIPS = 600


def answer_over_responses(provider: FakeProvider, mock: responses.RequestsMock) -> None:
    """Let `provider` answer every request to its addresses, without a socket.

    A slow answer raises the timeout of `requests` at once.
    """
    import requests  # comes with `responses`, which is there only for tests

    def callback(request: Any) -> tuple[int, dict[str, str], bytes]:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        try:
            answer = provider.handle(
                request.method, request.url, dict(request.headers), body
            )
        except SlowAnswer:
            raise requests.exceptions.ReadTimeout from None
        except NoAnswer:
            raise requests.exceptions.ConnectionError from None
        return answer.status, dict(answer.headers), answer.body

    anything = [re.escape(provider.issuer.removesuffix("/")) + "/.*"]
    urls = [*provider.endpoints.values(), *provider.mtls_endpoints.values()]
    known = [re.escape(url) + r"([?&].*)?" for url in urls]
    for pattern in (*known, *anything):
        for method in ("GET", "POST"):
            url = re.compile(f"^{pattern}$")
            mock.add_callback(method, url, callback=callback, content_type=None)


@contextmanager
def serve(provider: FakeProvider, *, port: int = 0) -> Iterator[FakeProvider]:
    """Serve `provider` on 127.0.0.1 for the `with` block; its issuer is the real URL.

    Port 0 means any free port. At the end, all connections are closed and all threads
    have ended, even while an answer was slow.
    """
    issuer = provider.issuer
    server = _Server(provider, port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    provider.issuer = f"http://{HOST}:{server.server_address[1]}"
    thread.start()
    try:
        yield provider
    finally:
        server.hang_up()
        server.shutdown()
        server.server_close()  # waits for the threads of all connections
        thread.join()
        provider.issuer = issuer


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, provider: FakeProvider, port: int) -> None:
        self.provider = provider
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((HOST, port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer's own method looks up this machine's name in the DNS.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
            if self.closing.is_set():
                _end(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        """Close all connections; kept-alive ones would wait for their clients."""
        with self._lock:
            self.closing.set()
            for connection in self._open:
                _end(connection)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept alive
    # Headers and body are two writes; Nagle's algorithm delays the second by 40 ms.
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def handle(self) -> None:
        # A client that times out closes the connection.
        with suppress(ConnectionError):
            super().handle()

    def finish(self) -> None:
        self.server.closed(self.connection)
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        # T49: refuse other host names that resolve to this machine (DNS rebinding).
        host, _, port = self.headers.get("Host", "").partition(":")
        if host not in (HOST, "localhost") or port != str(self.server.server_port):
            self.close_connection = True
            self.send_error(421)
            return
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,7}", length) or int(length) > MAX_BODY:
            self.close_connection = True
            self.send_error(413)
            return
        self._answer(self.rfile.read(int(length)))

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _answer(self, body: bytes) -> None:
        provider = self.server.provider
        url = provider.issuer + self.path
        headers = dict(self.headers.items())
        try:
            self._send(provider.handle(self.command, url, headers, body))
        except NoAnswer:
            self.close_connection = True
        except SlowAnswer:
            self.close_connection = True
            self._drip()

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _drip(self) -> None:
        """Send one byte at a time, so that no read timeout applies (T51)."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(DRIPS))
        self.end_headers()
        for _ in range(DRIPS):
            self.wfile.write(b" ")
            if self.server.closing.wait(DRIP_INTERVAL):
                return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: the provider's request_log has every request."""


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)
