"""Sessions of a provider's login, who reads them, and caches: up, down or local."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from types import MappingProxyType
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.cache.backends.base import BaseCache
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from oauth_login.contrib.channels import LoginSessionMiddleware
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.sessions.begin import attach_identity, sign_in

ENGINES = ("db", "cache", "cached_db", "file", "signed_cookies")
ISSUER = "https://id.example.com"
LIFETIME = 43200


class DownCache(BaseCache):
    """A cache server that does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the cache does not answer")

    get = set = add = delete = touch = clear = _refuse
    get_many = set_many = delete_many = _refuse


def caches_of(kind: str) -> dict[str, Any]:
    """CACHES: ours is "default" here, "other" elsewhere; sessions have their own."""
    local = "django.core.cache.backends.locmem.LocMemCache"
    ours = {"BACKEND": local, "LOCATION": "ours"}
    if kind == "down":
        ours = {"BACKEND": f"{__name__}.DownCache"}
    return {
        "default": ours,
        "other": {**ours, "LOCATION": "others"} if kind == "local" else ours,
        "sessions": {"BACKEND": local, "LOCATION": "sessions"},
    }


def signed_in(now: float, name: str = "alice", *, lifetime: int = LIFETIME) -> str:
    """A new session of a login at "corp": the value of its cookie."""
    user, _ = get_user_model().objects.get_or_create(username=name)
    Identity.objects.get_or_create(
        key=Identity.key_of(ISSUER, name),
        defaults={
            "user": user,
            "issuer": ISSUER,
            "subject": name,
            "provider": "corp",
        },
    )
    request = HttpRequest()
    request.session = _store()
    backend = "oauth_login.backends.OAuthLoginBackend"
    sign_in(request, user, lifetime=timedelta(seconds=lifetime), backend=backend)
    verified = VerifiedIdentity(
        provider="corp",
        issuer=ISSUER,
        subject=name,
        claims=MappingProxyType({"auth_time": int(now)}),
        claims_complete=True,
    )
    attach_identity(request.session, verified, now=now)
    request.session.save()
    return str(request.session.session_key)


def session_of(cookie: str) -> Any:
    """The session of a cookie, as the next request reads it."""
    return _store(cookie)


def _store(key: str | None = None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


# --- who reads the session


def wsgi(cookie: str) -> str:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    return client.get("/sync/").content.decode()


async def asgi(cookie: str) -> str:
    client = AsyncClient()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    return (await client.get("/async/")).content.decode()


def get_user(cookie: str) -> str:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    return client.get("/get-user/").content.decode()


async def websocket(cookie: str) -> str:
    """The user of a consumer behind our ASGI middleware, as Channels gives it."""
    scope = await channels_scope(cookie)
    socket = connection(scope)
    await socket.send_input({"type": "websocket.connect"})
    accepted = await socket.receive_output()
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait()
    return str(accepted["subprotocol"])


def connection(scope: dict[str, Any]) -> Any:
    """The browser's end of a websocket; asgiref has no types for it."""
    communicator: Any = ApplicationCommunicator
    return communicator(LoginSessionMiddleware(consumer), scope)


async def channels_scope(cookie: str) -> dict[str, Any]:
    session = session_of(cookie)
    request = HttpRequest()
    request.session = session
    return {
        "type": "websocket",
        "session": session,
        "user": await auth.aget_user(request),
    }


async def consumer(scope: Any, receive: Any, send: Any) -> None:
    """Says who is connected, then echoes until the connection ends."""
    await receive()
    user = scope["user"]
    name = user.get_username() if user.is_authenticated else ""
    await send({"type": "websocket.accept", "subprotocol": name})
    while (await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": "echo"})


# --- the pages


def ask(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


async def ask_twice(request: HttpRequest) -> HttpResponse:
    # T140: as a middleware that logs who asks, and the view behind it.
    first, second = await request.auser(), await request.auser()
    assert first == second
    if not second.is_authenticated:
        assert request.user == second
    return HttpResponse(second.get_username())


def ask_the_session(request: HttpRequest) -> HttpResponse:
    user = auth.get_user(request)
    assert user == auth.get_user(request)
    assert user != AnonymousUser() or not request.session.keys()
    return HttpResponse(user.get_username())


urlpatterns = [
    path("sync/", ask),
    path("async/", ask_twice),
    path("get-user/", ask_the_session),
]
