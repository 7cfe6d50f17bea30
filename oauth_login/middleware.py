"""Ends sessions that are over: behind AuthenticationMiddleware, for WSGI and ASGI.

It looks when something first asks who is signed in, and not before: a page that does
not read the user costs nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase

from oauth_login.login.markers import remove_after_logout
from oauth_login.sessions import notice
from oauth_login.sessions.denials import note_denial
from oauth_login.sessions.end import is_over
from oauth_login.sessions.impersonation import settle
from oauth_login.sessions.watch import login_before, watch

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class LoginSessionMiddleware:
    """Logs out a session that is over; its user becomes anonymous."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response: Any = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._acall(request)
        session = _watched_session(request)
        if session is not None and _is_user_known(request):
            session.get(auth.SESSION_KEY)
        response: HttpResponseBase = self.get_response(request)
        if session is not None and login_before(session) is not None:
            settle(session)
        remove_after_logout(request, response)
        note_denial(request, response)
        notice.tell(request, response)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        session = _watched_session(request)
        if session is not None and _is_user_known(request):
            await session.aget(auth.SESSION_KEY)
        response: HttpResponseBase = await self.get_response(request)
        if session is not None and login_before(session) is not None:
            await sync_to_async(settle)(session)
        remove_after_logout(request, response)
        note_denial(request, response)
        notice.tell(request, response)
        return response


def _watched_session(request: HttpRequest) -> SessionBase | None:
    session = getattr(request, "session", None)
    if not isinstance(session, SessionBase):
        return None
    watch(session, partial(_judge, request, session))
    return session


def _is_user_known(request: HttpRequest) -> bool:
    """Whether another middleware, in front of this one, has read the user."""
    return hasattr(request, "_cached_user") or hasattr(request, "_acached_user")


def _judge(request: HttpRequest, session: SessionBase) -> None:
    """Log out if the session is over, and let Django forget whose it was (T140)."""
    if auth.SESSION_KEY not in session or not is_over(session):
        return
    auth.logout(request)
    notice.note(request)
    request._cached_user = request._acached_user = AnonymousUser()  # type: ignore[attr-defined] # where Django's AuthenticationMiddleware keeps them
