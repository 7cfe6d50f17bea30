"""Tags for a site's own templates: login links for all providers or for one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import npgettext, pgettext

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.views.reachable import is_included
from oauth_login.views.redirects import safe_next

register = template.Library()


@register.simple_tag(takes_context=True)
def oauth_login_url(
    context: dict[str, Any],
    provider: str = "",
    next: str | None = None,  # noqa: A002 - Django's word for it
    switch: str = "",
) -> str:
    """The URL at which a login starts; it comes back to this page or to `next`.

    Without a provider, the URL of the login page. With `switch` the provider asks for
    the account even if the user is signed in there.
    """
    request = context.get("request")
    if next is None and request is not None:
        next = request.get_full_path()  # noqa: A001 - as above
    query = {REDIRECT_FIELD_NAME: safe_next(next or "")}
    if switch:
        query["switch"] = "1"
    if provider:
        url = reverse("oauth_login:begin", kwargs={"provider": provider})
    else:
        url = reverse("oauth_login:login")
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{url}?{given}" if given else url


@register.simple_tag
def oauth_login_providers() -> list[ProviderConfig]:
    """The providers of the settings, for a page with buttons."""
    return list(get_config().providers.values())


@register.simple_tag(takes_context=True)
def oauth_login_admin_buttons(context: dict[str, Any]) -> bool:
    """Whether the login page of this admin site shows buttons."""
    config = get_config()
    is_on = config.admin_mode(_admin_site(context)) != "off"
    return is_on and bool(config.providers) and is_included()


@register.simple_tag(takes_context=True)
def oauth_login_admin_password(context: dict[str, Any]) -> bool:
    """Whether the login page of this admin site shows the password form."""
    return not get_config().is_forced(_admin_site(context))


@register.filter
def oauth_login_ago(moment: datetime) -> str:
    """How long ago, in one unit, as a whole phrase.

    Django's `timesince` gives "3 days"; languages differ in how they add the "ago".
    """
    now = timezone.now() if timezone.is_aware(moment) else datetime.now()
    minutes = max(0, int((now - moment).total_seconds() // 60))
    if minutes < 1:
        return pgettext("oauth_login time", "just now")
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return npgettext(
            "oauth_login time", "%(number)d day ago", "%(number)d days ago", days
        ) % {"number": days}
    if hours:
        return npgettext(
            "oauth_login time", "%(number)d hour ago", "%(number)d hours ago", hours
        ) % {"number": hours}
    return npgettext(
        "oauth_login time", "%(number)d minute ago", "%(number)d minutes ago", minutes
    ) % {"number": minutes}


@register.filter
def oauth_login_moment(moment: datetime) -> str:
    """A date and time with its zone; the date is "today" where it is.

    The format is that of DATETIME_FORMAT, as on all our pages.
    """
    if timezone.is_aware(moment):
        moment, now = timezone.localtime(moment), timezone.localtime()
    else:  # USE_TZ is False: local time
        moment, now = moment.astimezone(), datetime.now()
    zone = moment.tzname() or ""
    if moment.date() == now.date():
        text = pgettext("oauth_login time", "today, %(time)s")
        text %= {"time": date_format(moment, "TIME_FORMAT")}
    else:
        text = date_format(moment, "DATETIME_FORMAT")
    return f"{text} {zone}".strip()


def _admin_site(context: dict[str, Any]) -> str:
    return getattr(context.get("request"), "current_app", "admin")
