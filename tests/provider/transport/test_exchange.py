"""The only socket: one exchange, and what is kept of it (nothing)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from oauth_login.errors import ProviderUnavailable
from oauth_login.protocol.http import ProviderRequest
from tests.provider.transport.servers import (
    Server,
    answer,
    get,
    post,
    serving,
    transport,
)

Make = Callable[[str], ProviderRequest]


def test_connections_are_kept_alive() -> None:
    with serving(lambda h, s: answer(h)) as server:
        ours = transport()
        for _ in range(5):
            assert ours.send(post(server.url)).status == 200
        assert server.connections == 1


def test_a_kept_connection_that_was_closed_fails_no_login() -> None:
    with serving(lambda h, s: answer(h, Connection="close")) as server:
        ours = transport()
        assert [ours.send(post(server.url)).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("make", [get, post])
def test_no_redirect_is_followed(status: int, make: Make) -> None:
    # T43, T48
    with (
        serving(lambda h, s: answer(h)) as other,
        serving(lambda h, s: answer(h, status=status, Location=other.url)) as server,
    ):
        assert transport().send(make(server.url)).status == status
        assert len(server.seen) == 1
        assert other.connections == 0


def test_netrc_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # T46
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(lambda h, s: answer(h)) as server:
        transport().send(get(server.url, Authorization="Bearer ours"))
        transport().send(get(server.url))
        sent = [handler.headers.get("Authorization") for handler in server.seen]
    assert sent == ["Bearer ours", None]


def test_cookies_are_neither_kept_nor_sent_to_anybody() -> None:
    # T47
    with (
        serving(lambda h, s: answer(h, Set_Cookie="a=b; Path=/")) as server,
        serving(lambda h, s: answer(h)) as other,
    ):
        ours, theirs = transport(), transport()
        for url in (server.url, server.url, other.url):
            ours.send(get(url))
        theirs.send(post(server.url))
        requests = server.seen + other.seen
    assert len(requests) == 4
    assert not [handler for handler in requests if "Cookie" in handler.headers]


def test_only_what_http_needs_is_sent() -> None:
    with serving(lambda h, s: answer(h)) as server:
        transport().send(post(server.url))
        (request,) = server.seen
    assert dict(request.headers) == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "oauth_login",
        "Accept-Encoding": "identity",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "6",
    }
    assert request.body == b"code=c"


def test_nobody_there_is_said_so() -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        transport().send(get("http://127.0.0.1:1"))
    assert caught.value.code == "transport.connection"
    assert caught.value.detail == {
        "url": "http://127.0.0.1:1",
        "received": "Connection refused",
    }


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".test"])
def test_a_host_without_an_address_is_said_so(host: str) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        transport().send(get(f"https://{host}/"))
    assert caught.value.code == "transport.connection"


def hang_up(handler: BaseHTTPRequestHandler, server: Server) -> None:
    handler.close_connection = True
    handler.connection.close()


@pytest.mark.parametrize(("make", "tries"), [(get, 2), (post, 1)])
def test_a_document_is_asked_for_twice_and_a_code_redeemed_once(
    make: Make, tries: int
) -> None:
    # T129
    with serving(hang_up) as server:
        with pytest.raises(ProviderUnavailable) as caught:
            transport().send(make(server.url))
        assert caught.value.code == "transport.connection"
        assert len(server.seen) == tries


def test_many_threads_share_one_transport() -> None:
    def echo(handler: BaseHTTPRequestHandler, server: Server) -> None:
        answer(handler, handler.path.encode())

    wrong: list[bytes] = []

    def ask(number: int) -> None:
        for turn in range(10):
            body = ours.send(get(f"{server.url}/{number}-{turn}")).body
            if body != f"/{number}-{turn}".encode():
                wrong.append(body)

    with serving(echo) as server:
        ours = transport()
        threads = [threading.Thread(target=ask, args=[n]) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.seen) == 80
    assert wrong == []
