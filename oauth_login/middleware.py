"""Ends sessions that were ended from elsewhere: behind AuthenticationMiddleware.

It looks when a view or a template first reads the user, and not before: a page that
does not read the user costs nothing. For WSGI and ASGI.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from oauth_login.login.markers import remove_after_logout
from oauth_login.sessions.denials import note_denial
from oauth_login.sessions.end import is_over

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class LoginSessionMiddleware:
    """Logs out a session that is over; its user becomes anonymous."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if hasattr(request, "user"):
            user, auser = request.user, getattr(request, "auser", None)
            request.user = SimpleLazyObject(lambda: _live_user(request, user))  # type: ignore[assignment] # lazy, as Django's own
            if auser is not None:
                request.auser = lambda: _live_auser(request, auser)
        response = self.get_response(request)
        if isawaitable(response):
            return _awaited(request, response)
        remove_after_logout(request, response)
        note_denial(request, response)
        return response


async def _awaited(
    request: HttpRequest, coming: Awaitable[HttpResponseBase]
) -> HttpResponseBase:
    response = await coming
    remove_after_logout(request, response)
    note_denial(request, response)
    return response


def _live_user(request: HttpRequest, user: Any) -> Any:
    """The user, if the session is still open; else log out, and an anonymous user."""
    if not user.is_authenticated or not is_over(request.session):
        return user
    # auth.logout() reads request.user, which would call this function again.
    request.user = user
    auth.logout(request)
    return AnonymousUser()


async def _live_auser(request: HttpRequest, auser: Callable[[], Awaitable[Any]]) -> Any:
    user = await auser()
    return await sync_to_async(_live_user)(request, user)
