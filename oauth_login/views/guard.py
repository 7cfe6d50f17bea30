"""guarded_view: what holds for every view of ours."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_variables

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError, InvalidCallback, OAuthLoginError
from oauth_login.views.pages import error_page

logger = logging.getLogger("oauth_login")

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def guarded_view(view: View[P]) -> View[P]:
    """What holds for every view of ours, whatever middleware the site has.

    No login is needed to log in (T133); nothing is cached (T24), framed (T13), or
    told to another site (T23); and no exception leaves (T122): an error page has no
    traceback, and a report by mail would have the code in its URL (E9).
    """

    @functools.wraps(view)
    @sensitive_variables()
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except OAuthLoginError as ours:
            response = error_page(request, ours, provider=_named(kwargs))
        except (Http404, PermissionDenied, DisallowedHost):
            raise  # answers, and Django gives them
        except (SuspiciousOperation, BadRequest) as refused:
            # Too many fields, or too large: with DEBUG, Django's answer would show
            # them all.
            received = type(refused).__name__
            error = InvalidCallback("callback.malformed", received=received)
            response = error_page(request, error)
        except Exception:  # noqa: BLE001 - see above
            logger.exception("unexpected error in %s", view.__name__)
            response = error_page(request, ConfigurationError("config.unexpected"))
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store, private, max-age=0"
        if "Referrer-Policy" not in response:
            response["Referrer-Policy"] = "no-referrer"
        response["X-Frame-Options"] = "DENY"
        _forbid_framing(response)
        patch_vary_headers(response, ["Cookie"])
        return response

    guarded: View[P] = login_not_required(guarded)  # type: ignore[no-redef] # wrapped
    return guarded


def _named(kwargs: Mapping[str, Any]) -> str:
    """The provider that the URL names, if there is one of that name."""
    alias = kwargs.get("provider", "")
    return alias if alias in get_config().providers else ""


def _forbid_framing(response: HttpResponseBase) -> None:
    """Add to whatever policy the site sets; two policies both hold."""
    policy = response.get("Content-Security-Policy")
    ours = "frame-ancestors 'none'"
    response["Content-Security-Policy"] = f"{policy}, {ours}" if policy else ours
