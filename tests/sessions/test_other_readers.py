"""Code that asks the session for its user in other ways than Django does (T173)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from oauth_login.models import LoginSession
from oauth_login.sessions.end import end_rows

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
KEY = "_auth_user_id"
READERS: dict[str, Callable[[Any], Any]] = {
    "get": lambda session: session.get(KEY),
    "in": lambda session: KEY in session or None,
    "has_key": lambda session: session.has_key(KEY) or None,
    "pop": lambda session: session.pop(KEY, None),
    "setdefault": lambda session: session.setdefault(KEY, None),
}


def view(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(str(READERS[name](request.session)))


urlpatterns = [
    path("read/<name>/", view),
    path("home/", lambda request: HttpResponse("home")),
    path("auth/", include("oauth_login.urls")),
]


@pytest.mark.parametrize("name", READERS)
def test_every_reader_is_told(client: Client, oauth_log_in: Any, name: str) -> None:
    oauth_log_in(client)
    end_rows(LoginSession.objects.all())
    assert client.get(f"/read/{name}/", secure=True).content == b"None"
