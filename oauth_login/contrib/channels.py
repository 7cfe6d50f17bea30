"""Websockets: for Channels, ends connections whose session is over.

Channels finds the user in the session by itself, and Django's middleware never runs:

    AuthMiddlewareStack(LoginSessionMiddleware(URLRouter(websocket_urlpatterns)))

It looks when a connection opens, with every message from the browser, and at least once
a minute in between. This module works without Channels installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import connections

from oauth_login.sessions.end import STATUS_LIFETIME, is_over

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[Any]]

# RFC 6455 7.4.1: the other end violates this one's policy.
CLOSE_CODE = 1008


class LoginSessionMiddleware:
    """ASGI middleware, inside of Channels' AuthMiddlewareStack.

    A connection whose session is over has an anonymous user and an empty session. One
    whose session ends later is closed with code 1008 (T168).
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> Any:
        session = scope.get("session")
        if session is None:
            return await self.app(scope, receive, send)
        if await _is_over(session):
            await sync_to_async(session.flush)()
            scope = {**scope, "user": AnonymousUser()}
        elif scope.get("type") == "websocket":
            receive = _Watched(session, receive, send)
        return await self.app(scope, receive, send)


class _Watched:
    """`receive` of one websocket: a disconnect, as soon as the session is over."""

    def __init__(self, session: SessionBase, receive: Receive, send: Send) -> None:
        self.session = session
        self.receive = receive
        self.send = send

    async def __call__(self) -> Message:
        pending = asyncio.ensure_future(self.receive())
        try:
            while True:
                done, _ = await asyncio.wait({pending}, timeout=STATUS_LIFETIME)
                if done and pending.result()["type"] == "websocket.disconnect":
                    return pending.result()
                if await _is_over(self.session, is_activity=bool(done)):
                    await self.send({"type": "websocket.close", "code": CLOSE_CODE})
                    return {"type": "websocket.disconnect", "code": CLOSE_CODE}
                if done:
                    return pending.result()
        finally:
            pending.cancel()


@sync_to_async
def _is_over(session: SessionBase, *, is_activity: bool = True) -> bool:
    _close_old_connections()
    try:
        return is_over(session, is_activity=is_activity)
    finally:
        _close_old_connections()


def _close_old_connections() -> None:
    """As Django does before and after a request: here there is none for a long time."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # a site's tests may be in one
            connection.close_if_unusable_or_obsolete()
