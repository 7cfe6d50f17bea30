"""What a server can send: too much, too slowly, packed, or no HTTP at all."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.protocol.http import MAX_BODY, ProviderRequest, json_object
from oauth_login.protocol.jose.jwks import parse_jwks_response
from oauth_login.provider.sockets import login_deadline
from oauth_login.provider.transport import RequestsTransport
from tests.provider.transport.certificates import Authority, server_context
from tests.provider.transport.servers import (
    Server,
    answer,
    get,
    post,
    saying,
    serving,
    transport,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FITS = b'{"a": "' + b"a" * (MAX_BODY - 9) + b'"}'


def chunked(body: bytes, size: int = 4096) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    lines = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + lines + b"0\r\n\r\n"


def declared(body: bytes) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def until_closed(body: bytes) -> bytes:
    return OK + b"\r\n" + body


@pytest.mark.parametrize("wrapped", [declared, chunked, until_closed])
def test_a_body_has_256_kb_and_not_one_byte_more(
    wrapped: Callable[[bytes], bytes],
) -> None:
    # T51
    with saying(wrapped(FITS)) as server:
        response = transport().send(get(server.url))
    assert json_object(response, document="jwks")
    with saying(wrapped(FITS + b" ")) as server:
        response = transport().send(get(server.url))
    assert len(response.body) == MAX_BODY + 1
    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(response, document="jwks")
    assert caught.value.code == "jwks.too_large"


def test_a_body_without_end_is_left_where_it_is() -> None:
    # T51
    def endless(handler: BaseHTTPRequestHandler, server: Server) -> None:
        handler.wfile.write(OK + b"Content-Length: 99999999999\r\n\r\n")
        while not server.closing.is_set():
            handler.wfile.write(b"a" * 65536)

    with serving(endless) as server:
        tracemalloc.start()
        try:
            response = transport().send(get(server.url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(response.body) == MAX_BODY + 1
    assert peak < 8 * MAX_BODY


def deflated(body: bytes) -> bytes:
    return zlib.compress(body)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("br", lambda body: body[:1000]),  # whatever it is, it is not looked into
        ("zstd", lambda body: b"\x28\xb5\x2f\xfd" + body[:1000]),
        ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
        ("identity, gzip", gzip.compress),
    ],
)
def test_what_cannot_be_unpacked_is_refused_packed(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    # T51
    bomb = pack(b'{"a": "' + b"a" * 50_000_000 + b'"}')
    head = declared(bomb).replace(
        b"Content-Length", b"Content-Encoding: %s\r\nContent-Length" % encoding.encode()
    )
    with saying(head) as server:
        tracemalloc.start()
        try:
            response = transport().send(get(server.url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert response.body == bomb
    assert peak < 2_000_000
    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(response, document="jwks")
    assert caught.value.code == "jwks.content_encoding"


def bare(body: bytes) -> bytes:
    """Deflate without a header of zlib's, as some servers send it."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def packed(body: bytes, encoding: str) -> bytes:
    head = b"Content-Encoding: %s\r\nContent-Length" % encoding.encode()
    return declared(body).replace(b"Content-Length", head)


PACKERS = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    (" GZIP ", gzip.compress),
    ("deflate", deflated),
    ("deflate", bare),
]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("body", [b'{"a": 1}', FITS])
def test_what_a_proxy_has_packed_is_unpacked(
    encoding: str, pack: Callable[[bytes], bytes], body: bytes
) -> None:
    with saying(packed(pack(body), encoding)) as server:
        response = transport().send(get(server.url))
    assert response.body == body
    assert json_object(response, document="jwks")


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
@pytest.mark.parametrize("size", [MAX_BODY + 1, 50_000_000])
def test_what_is_too_large_is_not_unpacked_further(
    encoding: str, pack: Callable[[bytes], bytes], size: int
) -> None:
    # T51
    bomb = pack(b"a" * size)
    with saying(packed(bomb, encoding)) as server:
        tracemalloc.start()
        try:
            response = transport().send(get(server.url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(response.body) == MAX_BODY + 1
    assert peak < 8 * MAX_BODY
    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(response, document="jwks")
    assert caught.value.code == "jwks.too_large"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\x1f\x8b", gzip.compress(b'{"a": 1}')[:-1], deflated(b"{}")[:-4]],
    ids=["empty", "not packed", "short", "cut gzip", "cut deflate"],
)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_packed_badly_is_refused(encoding: str, body: bytes) -> None:
    # T51
    with saying(packed(body, encoding)) as server:
        response = transport().send(get(server.url))
    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(response, document="jwks")
    assert caught.value.code == "jwks.content_encoding"


@pytest.mark.parametrize(
    ("document", "limit"), [("userinfo", 1 << 20), ("jwks", 1 << 18)]
)
def test_userinfo_may_be_larger_than_the_other_documents(
    document: str, limit: int
) -> None:
    for size, code in ((limit, None), (limit + 1, f"{document}.too_large")):
        with saying(declared(b'{"a": "' + b"a" * (size - 9) + b'"}')) as server:
            request = ProviderRequest("GET", server.url, document)
            response = transport().send(request)
        if code is None:
            assert json_object(response, document=document)
        else:
            with pytest.raises(InvalidProviderResponse) as caught:
                json_object(response, document=document)
            assert caught.value.code == code


def test_an_answer_may_take_as_long_as_the_setting_says() -> None:
    with saying(declared(b"{}"), after=0.6) as server:
        assert transport(total_timeout=5).send(get(server.url)).status == 200
        with pytest.raises(ProviderUnavailable) as caught:
            transport(total_timeout=0.3).send(get(server.url))
    assert caught.value.code == "transport.timeout"


def code_of(ours: RequestsTransport, request: ProviderRequest) -> str | None:
    try:
        ours.send(request)
    except ProviderUnavailable as error:
        return error.code
    return None


def test_a_login_has_one_deadline_for_all_its_requests() -> None:
    # T155
    with saying(declared(b"{}"), after=0.3) as server:
        ours = transport(total_timeout=5)
        started = time.monotonic()
        with login_deadline(1.0):
            codes = [code_of(ours, get(server.url)) for _ in range(20)]
        assert 1 <= codes.count(None) <= 3
        assert set(codes) == {None, "transport.timeout"}
        assert time.monotonic() - started < 3
        assert ours.send(get(server.url)).status == 200


@pytest.mark.parametrize(
    "received",
    [
        b"",
        b"\r\n",
        b"<html>I am no server of HTTP</html>",
        b"HTTP/0.9\r\n\r\n{}",
        b"HTTP/1.1 abc OK\r\n\r\n{}",
        b"HTTP/1.1 20 OK\r\n\r\n{}",
        b"ICY 200 OK\r\n\r\n{}",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00",  # a TLS handshake
        b"SSH-2.0-OpenSSH_9.2\r\n",
        OK + b"Content-Length: 100\r\n\r\n",
        OK + b'Content-Length: 100\r\n\r\n{"keys": []}',
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nnope\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000,
        OK + b"A: b\r\n" * 1000 + b"\r\n{}",
        OK + b"A: " + b"b" * 100_000 + b"\r\n\r\n{}",
        OK + b"Content-Length: 2\r\n" * 60 + b"A: b\r\n" * 60 + b"\r\n{}",
    ],
)
def test_what_is_not_whole_or_no_http_is_no_answer(received: bytes) -> None:
    # T51, T129: a document that was cut off must never pass for one
    with saying(received) as server:
        with pytest.raises(ProviderUnavailable) as caught:
            transport(total_timeout=3).send(get(server.url))
        assert caught.value.code == "transport.connection"
        # What it wrote is in no log (T106).
        assert "keys" not in repr(caught.value.detail)
        assert "SSH" not in repr(caught.value.detail)
        with pytest.raises(ProviderUnavailable) as caught:
            transport(total_timeout=3).send(post(server.url))
        assert caught.value.code == "transport.connection"
        assert len(server.seen) == 3


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK", OK, OK + b"Content-Le"])
def test_headers_without_an_end_have_no_document_behind_them(head: bytes) -> None:
    with saying(head) as server:
        response = transport().send(get(server.url))
    assert response.body == b""
    with pytest.raises(InvalidProviderResponse):
        json_object(response, document="jwks")


def test_more_than_was_declared_belongs_to_nobody() -> None:
    # The rest must not pass for the answer to the next request.
    def twice(handler: BaseHTTPRequestHandler, server: Server) -> None:
        handler.wfile.write(declared(b"{}") + declared(b'{"keys": []}'))

    with serving(twice) as server:
        ours = transport()
        assert [ours.send(get(server.url)).body for _ in range(3)] == [b"{}"] * 3


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", 103),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\n{}", 206),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", 304),
        (b"HTTP/1.1 600 What\r\nContent-Length: 2\r\n\r\n{}", 600),
        (b"HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\n{}", 999),
    ],
)
def test_other_statuses_are_not_the_answer_that_was_asked_for(
    head: bytes, status: int
) -> None:
    # T52
    with saying(head) as server:
        response = transport().send(get(server.url))
    assert response.status == status
    with pytest.raises((InvalidProviderResponse, ProviderUnavailable)) as caught:
        parse_jwks_response(response)
    expected = "jwks.status" if status >= 500 else "jwks.unexpected_status"
    assert caught.value.code == expected


def test_a_continue_before_the_answer_is_skipped() -> None:
    with saying(b"HTTP/1.1 100 Continue\r\n\r\n" + declared(b"{}")) as server:
        assert transport().send(get(server.url)).body == b"{}"


def slowly(
    head: bytes, more: bytes
) -> Callable[[BaseHTTPRequestHandler, Server], None]:
    def drip(handler: BaseHTTPRequestHandler, server: Server) -> None:
        handler.wfile.write(head)
        while not server.closing.wait(0.02):
            handler.wfile.write(more)

    return drip


SLOW = {
    "nothing": lambda h, s: s.closing.wait(30),
    "status": slowly(b"HTTP/1.1 200 ", b"O"),
    "continue": slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": slowly(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "body": slowly(OK + b"\r\n", b"a"),
    "declared": slowly(OK + b"Content-Length: 1000\r\n\r\n", b"a"),
    "chunk": slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1"),
    "chunks": slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "trailers": slowly(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("phase", SLOW)
@pytest.mark.parametrize("make", [get, post])
def test_whoever_drips_is_cut_off(
    phase: str,
    secure: bool,
    make: Callable[[str], ProviderRequest],
    authority: Authority,
) -> None:
    # T51, T129; pains 32
    tls = server_context(authority.issue("localhost")) if secure else None
    with serving(SLOW[phase], tls=tls, name="localhost") as server:
        ours = transport(
            internal="localhost",
            total_timeout=0.3,
            ca_bundle=str(authority.path) if secure else None,
        )
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as caught:
            ours.send(make(server.url))
        assert time.monotonic() - started < 4
        assert caught.value.code == "transport.timeout"
        # Asked once at most: a busy machine may not even have come to that.
        assert len(server.seen) <= 1


def test_whoever_does_not_shake_hands_is_cut_off(authority: Authority) -> None:
    # T51
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as caught:
            transport(internal="localhost", total_timeout=0.3).send(get(url))
    assert time.monotonic() - started < 4
    assert caught.value.code == "transport.timeout"


def test_whoever_does_not_take_the_connection_is_cut_off() -> None:
    # T51, T129: with a full backlog the kernel answers no connection
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        started = time.monotonic()
        with pytest.raises(ProviderUnavailable) as caught:
            transport(total_timeout=0.3).send(
                get(f"http://127.0.0.1:{full.getsockname()[1]}")
            )
        for one in waiting:
            one.close()
    assert time.monotonic() - started < 4
    assert caught.value.code == "transport.timeout"


def test_a_slow_exchange_ends_no_other_one() -> None:
    """The connection that one exchange gave back may be another's by its deadline."""

    def fast(handler: BaseHTTPRequestHandler, server: Server) -> None:
        answer(handler)

    with serving(fast) as server:
        ours = transport(total_timeout=1)
        started = time.monotonic()
        while time.monotonic() - started < 1.5:
            assert ours.send(post(server.url)).status == 200
        assert server.connections == 1


@pytest.mark.parametrize("kind", ["gone", "cut"])
def test_tls_that_breaks_off_is_a_broken_connection(
    kind: str, authority: Authority, tmp_path: Path
) -> None:
    """Not an untrusted one: the log must send its reader to the right place."""

    def break_off(handler: BaseHTTPRequestHandler, server: Server) -> None:
        if kind == "cut":
            handler.wfile.write(OK + b"Content-Length: 100\r\n\r\n{}")
        handler.close_connection = True
        handler.request.shutdown(socket.SHUT_RDWR)

    tls = server_context(authority.issue("localhost"))
    with serving(break_off, tls=tls, name="localhost") as server:
        ours = transport(internal="localhost", ca_bundle=str(authority.path))
        with pytest.raises(ProviderUnavailable) as caught:
            ours.send(get(server.url))
        assert caught.value.code == "transport.connection"
        assert len(server.seen) == 2
