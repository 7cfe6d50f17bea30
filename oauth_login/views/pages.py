"""How our pages are rendered, and the texts of the error pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import (
    InvalidCallback,
    LoginRefused,
    OAuthLoginError,
    ProviderRefused,
    ProviderUnavailable,
)
from oauth_login.sessions.facts import login_facts


def error_page(
    request: HttpRequest,
    error: OAuthLoginError,
    *,
    provider: str = "",
    next: str = "",  # noqa: A002 - Django's word for it
    is_ours: bool = False,
    back: str = "",
) -> HttpResponse:
    """The page for an error; also writes the one log record of it.

    Its button starts another attempt, or leads to `back`.
    """
    reference = events.failed(request, error, provider=provider, is_ours=is_ours)
    entry = get_config().providers.get(provider)
    title, what, advice = _words(error, entry)
    context = {
        "title": title,
        "what": what,
        "advice": advice,
        "provider": entry,
        "next": next,
        "back": back,
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
    alias = login_facts(request.session).get("provider", "")
    error = LoginRefused(code)
    reference = events.failed(request, error, provider=alias, is_ours=True, user=user)
    context = {
        "person": user.get_username(),
        "provider": get_config().providers.get(alias),
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
    """Render one of our templates, which a site may override."""
    context["site_name"] = request.get_host()
    return render(request, f"oauth_login/{name}.html", context, status=status)


def continue_page(request: HttpRequest, url: str) -> HttpResponse:
    """A page that leads to `url`: browsers then send cookies with SameSite=Strict."""
    return show(request, "continue", {"continue_url": url})


def with_form(response: HttpResponse) -> HttpResponse:
    """Set the referrer policy of a page with a form that is sent to this site.

    With "no-referrer" browsers would send the form with `Origin: null`, which Django's
    CSRF protection refuses. Other sites still get no referrer.
    """
    response["Referrer-Policy"] = "same-origin"
    return response


def _words(
    error: OAuthLoginError, entry: ProviderConfig | None
) -> tuple[str, str, list[str]]:
    """Title, what happened, what to do. Contains no text of the provider (T39)."""
    title = _("We couldn’t sign you in")
    again = _("Try again – this usually works.")
    if isinstance(error, InvalidCallback):
        what = _(
            "Your sign-in was used already, took too long, or was started in another "
            "browser. For your safety we stopped it."
        )
        cookies = _("If it happens every time, allow cookies for this site.")
        return title, what, [again, cookies]
    if isinstance(error, ProviderUnavailable):
        what = (
            _("%(name)s is not answering at the moment.") % {"name": entry.label}
            if entry
            else _("The identity provider is not answering at the moment.")
        )
        return title, what, [_("Wait a minute, and try again.")]
    if isinstance(error, ProviderRefused):
        what = (
            _(
                "You cancelled at %(name)s, or %(name)s didn’t let you through. "
                "Nothing was changed."
            )
            % {"name": entry.label}
            if entry
            else _(
                "You cancelled at the identity provider, or it didn’t let you "
                "through. Nothing was changed."
            )
        )
        return _("You weren’t signed in"), what, [_("Choose a way to sign in.")]
    if isinstance(error, LoginRefused):
        what = error.message or (
            _("Your account at %(name)s may not enter here.") % {"name": entry.label}
            if entry
            else _("Your account may not enter here.")
        )
        ask = _("Ask whoever runs this site, if you think that you should.")
        return _("No access"), what, [ask, _("Or use a different account.")]
    what = (
        _("Something between this site and %(name)s is not set up as it should be.")
        % {"name": entry.label}
        if entry
        else _("Something at this site is not set up as it should be.")
    )
    later = _("Try again later. The people who run this site can see what happened.")
    return title, what, [later]
