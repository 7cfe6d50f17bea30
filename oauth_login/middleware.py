"""Ends sessions that somebody ended elsewhere: behind AuthenticationMiddleware.

It looks when somebody asks who the user is, and not before: a page that does not want
to know costs nothing. For WSGI and ASGI.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from oauth_login.sessions.end import is_over

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class LoginSessionMiddleware:
    """Makes the user of a session that is over an anonymous one, and logs it out."""

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
            request.user = SimpleLazyObject(lambda: _still(request, user))  # type: ignore[assignment] # lazy, as Django's own
            if auser is not None:
                request.auser = lambda: _astill(request, auser)
        return self.get_response(request)


def _still(request: HttpRequest, user: Any) -> Any:
    if not user.is_authenticated or not is_over(request.session):
        return user
    request.user = user  # logging out looks at it, and must not come back here
    auth.logout(request)
    return AnonymousUser()


async def _astill(request: HttpRequest, auser: Callable[[], Awaitable[Any]]) -> Any:
    user = await auser()
    return await sync_to_async(_still)(request, user)
