"""pretix chooses among URLconfs by the host: our URLs go into the first of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from tests.neighbours.sites import pages


@login_required
def private(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<!doctype html><p>rights: {request.user.get_username()}.</p>")


def with_our_urls(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """A middleware, so that it is loaded when all apps are, and does nothing else."""
    from pretix.multidomain import maindomain_urlconf

    maindomain_urlconf.urlpatterns[:0] = [
        path("auth/", include("oauth_login.urls")),
        path("private/", private),
        path("csrf-token/", pages.csrf_token),
    ]
    return get_response
