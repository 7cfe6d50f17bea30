"""Our pages: rendered, and for an error recorded once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.encoding import iri_to_uri
from django.utils.translation import pgettext_lazy

from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.errors import (
    LoginRefused,
    OAuthLoginError,
    ProviderRefused,
)
from oauth_login.rights.explain import claims_of_last_login
from oauth_login.sessions.facts import login_facts
from oauth_login.views.branding import branding
from oauth_login.views.error_texts import error_texts

# The titles of pages that always have the same one.
TITLES = {
    "account": pgettext_lazy("oauth_login heading", "Sign-in and security"),
    "breakglass": pgettext_lazy("oauth_login heading", "Emergency access"),
    "continue": pgettext_lazy("oauth_login heading", "Signing in"),
    "denied": pgettext_lazy("oauth_login heading", "No access"),
    "logged_out": pgettext_lazy("oauth_login heading", "Signed out"),
    "login": pgettext_lazy("oauth_login heading", "Sign in"),
    "logout": pgettext_lazy("oauth_login heading", "Sign out"),
    "resume": pgettext_lazy("oauth_login heading", "Submit the form now?"),
    "too_many": pgettext_lazy("oauth_login heading", "Too many attempts"),
    "resume_gone": pgettext_lazy("oauth_login heading", "Form no longer available"),
    "sign_in_again": pgettext_lazy("oauth_login heading", "Sign in again"),
    "signing_out": pgettext_lazy("oauth_login heading", "Signing out"),
}


def error_page(
    request: HttpRequest,
    error: OAuthLoginError,
    *,
    provider: str = "",
    next: str = "",  # noqa: A002 - Django's word for it
    is_ours: bool = False,
    back: str = "",
    who: str = "",
    account: str = "",
) -> HttpResponse:
    """The page for an error; also writes the one log record of it.

    Its button starts another attempt, or leads to `back`. With `account`, the URL of
    the account page, all providers are offered, and the page that connects one. For
    `is_ours` and `who` see events.failed().
    """
    reference = events.failed(
        request, error, provider=provider, is_ours=is_ours, who=who
    )
    entry = get_config().providers.get(provider)
    texts = error_texts(error, entry, connecting=bool(back))
    context = {
        "title": texts.title,
        "what": texts.what,
        "advice": texts.advice,
        "provider": entry,
        "next": next,
        "back": back,
        "account": account,
        "switch": isinstance(error, LoginRefused | ProviderRefused),
        "code": error.public_code,
        "reference": reference,
        "time": datetime.now(UTC),
    }
    return recorded(show(request, "error", context, status=error.status))


def recorded(response: HttpResponse) -> HttpResponse:
    """Mark a response whose log record events.failed has written.

    Otherwise Django would log it too, and with a status of 500 or more mail the request
    to the administrators, with the authorization code in the query (T122).
    """
    response._has_been_logged = True  # type: ignore[attr-defined] # django.utils.log
    return response


def denied_page(
    request: HttpRequest,
    *,
    code: str,
    next: str,  # noqa: A002 - Django's word for it
) -> HttpResponse:
    """For signed-in users without permission: a page, never a redirect (T16)."""
    user: Any = request.user
    facts = login_facts(request.session)
    alias = facts.get("provider", "")
    names: dict[str, Any] = claims_of_last_login(facts.get("identity"))
    error = LoginRefused(code, **names)
    reference = events.failed(request, error, provider=alias, is_ours=True, user=user)
    context = {
        "person": user.get_username(),
        "provider": get_config().providers.get(alias),
        "not_permitted": code == "account.not_permitted",
        "provider_required": code == "account.provider_required",
        "next": next,
        "code": code,
        "reference": reference,
        "time": datetime.now(UTC),
    }
    return with_form(recorded(show(request, "denied", context, status=403)))


def show(
    request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render one of our templates, which a site may override.

    `title` and the site's name are variables, so that a site's own base template can
    show them. Where the page leads on by itself, a header says so, because a base
    template of a site has no place for a `meta` element of ours.
    """
    if "title" not in context:
        context["title"] = TITLES[name]
    context |= branding(request)
    response = render(request, f"oauth_login/{name}.html", context, status=status)
    if onward := context.get("continue_url"):
        response["Refresh"] = f"0; url={iri_to_uri(onward)}"
    return response


def continue_page(request: HttpRequest, url: str) -> HttpResponse:
    """A page that leads to `url`: browsers then send cookies with SameSite=Strict."""
    return show(request, "continue", {"continue_url": url})


def with_form(response: HttpResponse, *, secret_url: bool = False) -> HttpResponse:
    """Set the referrer policy of a page with a form that is sent to this site.

    With "no-referrer" browsers would send the form with `Origin: null`, which Django's
    CSRF protection refuses. Other sites still get no referrer. With `secret_url`, the
    page's own style sheet is not told the URL either: the log of the static files
    would keep it (T23, T172).
    """
    policy = "strict-origin" if secret_url else "same-origin"
    response["Referrer-Policy"] = policy
    return response
