"""A little HTTP proxy of this machine: CONNECT for TLS, absolute URLs for the rest."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.provider.transport.servers import Server, answer, serving


@contextmanager
def proxying(*, user: str = "") -> Iterator[Server]:
    """A proxy; with `user` only for who sends that as Proxy-Authorization."""

    def handle(handler: BaseHTTPRequestHandler, server: Server) -> None:
        handler.close_connection = True
        if user and handler.headers.get("Proxy-Authorization") != user:
            answer(handler, b"", 407, Proxy_Authenticate="Basic")
        elif handler.command == "CONNECT":
            _tunnel(handler)
        else:
            _forward(handler)

    with serving(handle) as server:
        yield server


def _tunnel(handler: BaseHTTPRequestHandler) -> None:
    host, _, port = handler.path.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as there:
        handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_copy, args=[there, handler.connection])
        back.start()
        _copy(handler.connection, there)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _forward(handler: BaseHTTPRequestHandler) -> None:
    parts = urlsplit(handler.path)
    there = HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    kept = {n: v for n, v in handler.headers.items() if not n.startswith("Proxy")}
    there.request(handler.command, parts.path or "/", handler.body, kept)
    response = there.getresponse()
    answer(handler, response.read(), response.status)
    there.close()
