"""Ways to reach a FakeProvider: over `responses`, and over a loopback socket."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from oauth_login.testing.faults import Answer
from oauth_login.testing.provider import FakeProvider, SlowAnswer

if TYPE_CHECKING:
    import responses


def answer_over_responses(provider: FakeProvider, mock: responses.RequestsMock) -> None:
    """Let `provider` answer every request to its issuer's URLs; no socket is opened."""
    import requests  # with `responses`, which is there only for tests

    def callback(request: Any) -> tuple[int, dict[str, str], bytes]:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        try:
            answer = provider.handle(
                request.method, request.url, dict(request.headers), body
            )
        except SlowAnswer:
            raise requests.exceptions.ReadTimeout from None
        return answer.status, _headers(answer), answer.body

    urls = re.compile(re.escape(provider.issuer.rstrip("/")) + "/.*")
    for method in ("GET", "POST"):
        mock.add_callback(method, urls, callback=callback, content_type=None)


@contextmanager
def serve(provider: FakeProvider, *, port: int = 0) -> Iterator[FakeProvider]:
    """Serve `provider` on 127.0.0.1 for a while; its issuer becomes the real URL."""
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept alive

        def do_GET(self) -> None:  # noqa: N802 - http.server's name
            if urlsplit(self.path).path == "/authorize":
                self._authorize()
            else:
                self._handle()

        do_POST = do_GET  # noqa: N815 - http.server's name

        def _authorize(self) -> None:
            url = provider.issuer + self.path
            person = parse_qs(urlsplit(url).query).get("login_hint", ["alice"])[0]
            location = provider.authorize(url, person)
            self._send(Answer(status=302, body=b"", headers={"Location": location}))

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = provider.issuer + self.path
            try:
                answer = provider.handle(
                    self.command, url, dict(self.headers.items()), body
                )
            except SlowAnswer:
                closing.wait(60)
                self.close_connection = True
                return
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in _headers(answer).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as above
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}
    )
    thread.start()
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _headers(answer: Answer) -> dict[str, str]:
    return {"Content-Type": answer.content_type, **(answer.headers or {})}
