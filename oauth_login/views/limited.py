"""The page for too many requests."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse

from oauth_login.login.limits import is_over_limit
from oauth_login.views.pages import recorded, show
from oauth_login.views.redirects import login_url


def too_many(
    request: HttpRequest,
    kind: str,
    *,
    next: str = "",  # noqa: A002 - Django's word for it
) -> HttpResponse | None:
    """Count a request of that kind; None, or the page that says that it is too many."""
    now = time.time()
    if not is_over_limit(request, kind, now=now):
        return None
    context = {"login_url": login_url(next)}
    response = recorded(show(request, "too_many", context, status=429))
    response["Retry-After"] = str(60 - int(now) % 60)
    return response
