"""The only socket, against servers of this machine that do not play fair."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.protocol.wire import MAX_BODY, ProviderRequest
from oauth_login.transport import RequestsTransport, _is_internal

Handle = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """What a server saw: requests, and how many connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[BaseHTTPRequestHandler] = []
        self.connections = 0
        self.closing = threading.Event()


@contextmanager
def serving(
    handle: Callable[[BaseHTTPRequestHandler, Server], None],
) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            state.connections += 1

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            state.seen.append(self)
            handle(self, state)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    state = Server(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


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
    return RequestsTransport(**{"issuer_host": "127.0.0.1", **options})


def test_connections_are_kept_alive() -> None:
    with serving(lambda handler, state: answer(handler)) as server:
        ours = transport()
        for _ in range(5):
            assert ours.send(post(server.url)).status == 200
        assert server.connections == 1


def test_a_kept_connection_that_was_closed_fails_no_login() -> None:
    with serving(lambda h, s: answer(h, Connection="close")) as server:
        ours = transport()
        assert [ours.send(post(server.url)).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    # T43, T48
    with (
        serving(lambda h, s: answer(h)) as other,
        serving(lambda h, s: answer(h, status=status, Location=other.url)) as server,
    ):
        assert transport().send(post(server.url)).status == status
        assert other.seen == []


def test_netrc_and_the_environment_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # T46
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(lambda h, s: answer(h)) as server:
        transport().send(get(server.url, Authorization="Bearer ours"))
        transport().send(get(server.url))
        sent = [handler.headers.get("Authorization") for handler in server.seen]
    assert sent == ["Bearer ours", None]


def test_cookies_are_not_kept() -> None:
    # T47
    with serving(lambda h, s: answer(h, Set_Cookie="a=b; Path=/")) as server:
        ours = transport()
        ours.send(get(server.url))
        ours.send(get(server.url))
        assert "Cookie" not in server.seen[1].headers
        assert server.seen[1].headers["Accept-Encoding"] == "identity"


def test_no_more_is_read_than_is_needed() -> None:
    # T51
    with serving(lambda h, s: answer(h, b"a" * (MAX_BODY + 1000))) as server:
        assert len(transport().send(get(server.url)).body) == MAX_BODY + 1


def test_what_comes_packed_stays_packed() -> None:
    # T51
    bomb = gzip.compress(b"a" * 10_000_000)
    with serving(lambda h, s: answer(h, bomb, Content_Encoding="gzip")) as server:
        response = transport().send(get(server.url))
    assert response.body == bomb
    assert response.headers["content-encoding"] == "gzip"


def drip(handler: BaseHTTPRequestHandler, server: Server) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not server.closing.wait(0.02):
        try:
            handler.wfile.write(b"a")
        except OSError:
            return


def drip_headers(handler: BaseHTTPRequestHandler, server: Server) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not server.closing.wait(0.02):
        try:
            handler.wfile.write(b"a")
            handler.wfile.flush()
        except OSError:
            return


@pytest.mark.parametrize(
    "handle", [drip, drip_headers, lambda h, s: s.closing.wait(30)]
)
@pytest.mark.parametrize("make", [get, post])
def test_whoever_drips_is_cut_off(
    handle: Callable[[Any, Server], None], make: Callable[[str], ProviderRequest]
) -> None:
    # T51, T129; pains 32
    with serving(handle) as server, pytest.raises(ProviderUnavailable) as caught:
        transport(total_timeout=0.3).send(make(server.url))
    assert caught.value.code == "transport.timeout"


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        transport().send(get("http://127.0.0.1:1"))
    assert caught.value.code == "transport.connection"


def hang_up(handler: BaseHTTPRequestHandler, server: Server) -> None:
    handler.close_connection = True
    handler.connection.close()


@pytest.mark.parametrize(("make", "tries"), [(get, 2), (post, 1)])
def test_a_document_is_asked_for_twice_and_a_code_redeemed_once(
    make: Callable[[str], ProviderRequest], tries: int
) -> None:
    # T129
    with serving(hang_up) as server:
        with pytest.raises(ProviderUnavailable):
            transport().send(make(server.url))
        assert len(server.seen) == tries


def test_another_host_must_not_be_inside_the_network() -> None:
    # T49
    with serving(lambda h, s: answer(h)) as server:
        with pytest.raises(InvalidProviderResponse) as caught:
            transport(issuer_host="1.1.1.1").send(get(server.url))
        assert caught.value.code == "discovery.insecure_endpoint"
        assert server.seen == []
        # Beside an issuer that is inside itself, it may be.
        inside = transport(issuer_host="localhost")
        assert inside.send(get(server.url)).status == 200


@pytest.mark.parametrize(
    ("address", "internal"),
    [
        ("127.0.0.1", True),
        ("10.0.0.1", True),
        ("169.254.169.254", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),  # noqa: S104 - an address to refuse
        ("1.1.1.1", False),
        ("2606:4700::1", False),
    ],
)
def test_addresses_inside_the_network_are_known(address: str, internal: bool) -> None:
    # T49
    assert _is_internal(address) is internal


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    # T44; pains 32
    import ssl

    from tests.certificates import certificate_for_localhost

    certificate, key = certificate_for_localhost(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign] # expected
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    url = f"https://localhost:{server.server_address[1]}"
    try:
        with pytest.raises(ProviderUnavailable) as caught:
            transport(issuer_host="localhost").send(get(url))
        assert caught.value.code == "transport.tls"
        trusting = transport(issuer_host="localhost", ca_bundle=str(certificate))
        assert trusting.send(get(url)).status == 200
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
