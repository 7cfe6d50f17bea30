"""The pages that the site has of its own."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("home")


def csrf_token(request: HttpRequest) -> HttpResponse:
    """What a form of the site would have in it."""
    return HttpResponse(get_token(request))


@login_required
def private(request: HttpRequest) -> HttpResponse:
    """Who came, and what they may do."""
    user: Any = request.user
    rights = [
        user.get_username(),
        *(["staff"] if user.is_staff else []),
        *(["superuser"] if user.is_superuser else []),
        *sorted(user.groups.values_list("name", flat=True)),
    ]
    return HttpResponse(f"<!doctype html><p>rights: {' '.join(rights)}.</p>")


@permission_required("auth.delete_user")
def permitted(request: HttpRequest) -> HttpResponse:
    return HttpResponse("permitted")
