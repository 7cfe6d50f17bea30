"""Tells users why they see a login page: their session was over at its next request.

A notice in the session would end with it, so it is a cookie for two minutes. It says
nothing about the user.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

COOKIE = "oauth_login_session_over"
LIFETIME = 120
_NOTED = "_oauth_login_session_over"


def note(request: HttpRequest) -> None:
    """Note that the session of this request was over."""
    setattr(request, _NOTED, True)


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    """If it was, tell the next login page that this browser shows."""
    if getattr(request, _NOTED, False):
        response.set_cookie(
            COOKIE,
            "1",
            max_age=LIFETIME,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )


def is_told(request: HttpRequest) -> bool:
    """Whether a login page should say that a session was over."""
    return bool(getattr(request, _NOTED, False) or request.COOKIES.get(COOKIE))


def clear(request: HttpRequest, response: HttpResponseBase) -> None:
    """It has been said."""
    setattr(request, _NOTED, False)
    if COOKIE in request.COOKIES:
        response.delete_cookie(COOKIE, samesite="Lax")
