"""guarded_view: the headers and the error handling of every view of ours."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    PermissionDenied,
    SuspiciousOperation,
)
from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_variables

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError, InvalidCallback, OAuthLoginError
from oauth_login.views.pages import error_page

logger = logging.getLogger("oauth_login")

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
V = TypeVar("V", bound=Callable[..., Any])


def guarded_view(view: View[P]) -> View[P]:
    """Protect a view of ours, whatever middleware the site has.

    LoginRequiredMiddleware lets it through (T133). ATOMIC_REQUESTS opens no transaction
    for it, which would stay open while a provider is asked (T153). The response is not
    cached (T24), not framed (T13), and its URL is not sent to other sites (T23). No
    exception leaves the view (T122): Django's debug page would show a traceback, and
    its mail to the administrators the request's URL, which contains the authorization
    code.
    """

    @functools.wraps(view)
    @sensitive_variables()
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except OAuthLoginError as login_error:
            response = error_page(request, login_error, provider=_named(kwargs))
        except (Http404, PermissionDenied, DisallowedHost):
            raise  # Django has responses for these
        except (SuspiciousOperation, BadRequest) as refused:
            # Too many fields, or too large: with DEBUG, Django's response would show
            # all of them.
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
        _forbid_framing(request, response)
        patch_vary_headers(response, ["Cookie"])
        return response

    guarded: View[P] = login_not_required(guarded)  # type: ignore[no-redef] # wrapped
    return without_transaction(guarded)


def without_transaction(view: V) -> V:
    """Exempt a view from ATOMIC_REQUESTS, whichever databases have it (T153)."""
    for alias in connections:
        transaction.non_atomic_requests(using=alias)(view)  # marks it, and returns it
    return view


def _named(kwargs: Mapping[str, Any]) -> str:
    """The provider in the URL, if the settings have one of that name."""
    alias = kwargs.get("provider", "")
    return alias if alias in get_config().providers else ""


def _forbid_framing(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add `frame-ancestors 'none'` to the site's policy, and keep the rest of it.

    django-csp and Django's own middleware (since 6.0) leave a response alone that has
    the header, so each is told in its own way. Other middleware that marks requests for
    its policy may do the same, or refuse the directive: then no header is set here, and
    X-Frame-Options stands.
    """
    none = {"frame-ancestors": ["'none'"]}
    marked: Any = response
    marks = {name for name in vars(request) if "csp" in name}
    if "csp_nonce" in marks and not _only_reports():  # django-csp
        replaced = getattr(marked, "_csp_replace", None) or {}
        marked._csp_replace = {**replaced, **none}
    elif marks == {"_csp_nonce"}:
        # As django.views.decorators.csp.csp_override does.
        policy = getattr(marked, "_csp_config", None) or settings.SECURE_CSP
        marked._csp_config = {**policy, **none}
    elif not marks - {"csp_nonce", "_csp_nonce"}:
        # Browsers enforce both, if a view has set a policy.
        policy = response.get("Content-Security-Policy")
        framing = "frame-ancestors 'none'"
        response["Content-Security-Policy"] = (
            f"{policy}, {framing}" if policy else framing
        )


def _only_reports() -> bool:
    """Whether django-csp enforces no policy, and so has none to add a directive to."""
    return bool(
        getattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY", None)
        and not getattr(settings, "CONTENT_SECURITY_POLICY", None)
    )
