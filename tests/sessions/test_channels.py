"""Websockets: `oauth_login.contrib.channels`, without Channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from pytest_django import Settings

from oauth_login.contrib import channels
from oauth_login.models import LoginSession
from oauth_login.sessions.end import end_rows
from tests.sessions import browsers
from tests.sessions.browsers import channels_scope, connection, session_of, signed_in

pytestmark = pytest.mark.django_db

START = 1_900_000_000


@pytest.fixture(autouse=True)
def _site(settings: Settings, time_machine: Any) -> None:
    time_machine.move_to(START, tick=False)


def run(story: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
    async_to_sync(story)(*args)


async def _open(cookie: str) -> Any:
    socket = connection(await channels_scope(cookie))
    await socket.send_input({"type": "websocket.connect"})
    accepted = await socket.receive_output()
    assert accepted == {"type": "websocket.accept", "subprotocol": "alice"}
    return socket


def test_a_message_after_the_end_closes_the_connection() -> None:
    # T168
    run(_talk, signed_in(START))


async def _talk(cookie: str) -> None:
    socket = await _open(cookie)
    await socket.send_input({"type": "websocket.receive", "text": "?"})
    assert (await socket.receive_output())["type"] == "websocket.send"
    await sync_to_async(end_rows)(LoginSession.objects.all())
    await socket.send_input({"type": "websocket.receive", "text": "?"})
    assert await socket.receive_output() == {"type": "websocket.close", "code": 1008}
    await socket.wait()


def test_a_connection_without_messages_is_closed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # T168
    monkeypatch.setattr(channels, "STATUS_LIFETIME", 0.01)
    run(_listen, signed_in(START))


async def _listen(cookie: str) -> None:
    socket = await _open(cookie)
    assert await socket.receive_nothing(0.1)
    await sync_to_async(end_rows)(LoginSession.objects.all())
    assert await socket.receive_output() == {"type": "websocket.close", "code": 1008}
    await socket.wait()


def test_a_connection_is_not_longer_than_its_session(
    monkeypatch: pytest.MonkeyPatch, time_machine: Any
) -> None:
    # T142, T168
    monkeypatch.setattr(channels, "STATUS_LIFETIME", 0.01)
    run(_stay, signed_in(START), time_machine)


async def _stay(cookie: str, time_machine: Any) -> None:
    socket = await _open(cookie)
    time_machine.move_to(START + browsers.LIFETIME, tick=False)
    assert (await socket.receive_output())["code"] == 1008
    await socket.wait()


def test_a_session_that_is_over_is_emptied_for_every_reader() -> None:
    # T173: Channels' get_user(scope) reads the session once more.
    cookie = signed_in(START)
    end_rows(LoginSession.objects.all())
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def story() -> None:
        scope = await channels_scope(cookie)
        await channels.LoginSessionMiddleware(app)(scope, _never, _never)

    run(story)
    (scope,) = seen
    assert not scope["user"].is_authenticated
    assert list(scope["session"].keys()) == []
    assert "_auth_user_id" not in session_of(cookie)


@pytest.mark.parametrize("kind", ["http", "lifespan"])
def test_other_protocols_pass(kind: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive))

    async def story() -> None:
        middleware = channels.LoginSessionMiddleware(app)
        await middleware({"type": kind}, _never, _never)

    run(story)
    assert seen == [({"type": kind}, _never)]


def test_a_consumer_that_stops_listening_leaves_nothing_behind() -> None:
    cookie = signed_in(START)

    async def story() -> None:
        scope = await channels_scope(cookie)
        asked = asyncio.Event()

        async def receive() -> Any:
            asked.set()
            await asyncio.Event().wait()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            listening = asyncio.ensure_future(receive())
            await asked.wait()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

        before = asyncio.all_tasks()
        await channels.LoginSessionMiddleware(app)(scope, receive, _never)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    run(story)


async def _never(*args: Any) -> Any:
    raise AssertionError("nobody listens")
