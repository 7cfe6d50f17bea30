"""What is stored in a Django session about its login: provider, identity, time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.protocol.deviations import TENANT
from oauth_login.protocol.issuer import of_tenant

# In the session of a signed-in user:
#   id                LoginSession.id
# and, if the login came through a provider:
#   provider          its name in the settings
#   issuer            who issued the ID token, and to
#   client_id         which client: a name in the settings may be given to another one
#   identity          Identity.key
#   authenticated_at  `auth_time`, in seconds since 1970, if the provider sent it
#   acr               authentication context class, if the provider sent it
# or, if the login came through a link for emergency access:
#   breakglass        True
# and with either of them:
#   ends_at           the absolute end, in seconds since 1970
# While this user is impersonated, all of it is about the login of the impersonator:
#   impersonator      the primary key of that user, as text
# In sessions of the previous release, issuer, client_id and ends_at are missing.
FACTS_KEY = "_oauth_login"
SIGNED_IN_AT_KEY = "_oauth_login_signed_in_at"
# How many seconds after a login its user may connect and disconnect identities
# (T103, T104).
RECENT = 300


def login_facts(session: SessionBase) -> dict[str, Any]:
    """What this session holds about its login; empty if nothing is stored."""
    noted = session.get(FACTS_KEY)
    return noted if isinstance(noted, dict) else {}


def ends_at(session: SessionBase) -> int | None:
    """The absolute end, in seconds since 1970; None if the session has none."""
    end = login_facts(session).get("ends_at")
    return end if isinstance(end, int) else None


def came_through_provider(session: SessionBase) -> bool:
    """Whether this session began with an emergency link or a login at a provider.

    The provider must still be in the settings, and be the same (T160).
    """
    noted = login_facts(session)
    return "breakglass" in noted or is_login_at(noted, noted.get("provider", ""))


def is_login_at(noted: Mapping[str, Any], alias: str) -> bool:
    """Whether these are the facts of a login at the provider with that alias.

    The alias alone does not tell: the settings may have given it to another issuer or
    client since (T160).
    """
    entry = get_config().providers.get(alias)
    if entry is None or noted.get("provider") != alias:
        return False
    if "issuer" not in noted:
        return True  # from the previous release
    return noted.get("client_id") == entry.client.client_id and _is_issuer(
        noted["issuer"], entry
    )


def is_signed_in_by(request: HttpRequest, alias: str) -> bool:
    """Whether a login at that provider began this session."""
    return request.user.is_authenticated and is_login_at(
        login_facts(request.session), alias
    )


def user_key(request: HttpRequest) -> str | None:
    """The primary key of the signed-in user, as text; None if there is none."""
    return str(request.user.pk) if request.user.is_authenticated else None


def session_user(session: SessionBase) -> str | None:
    """The primary key of the user in this session, as text; None if there is none."""
    key = session.get(auth.SESSION_KEY)
    return None if key is None else str(key)


def is_impersonated(session: SessionBase) -> bool:
    """Whether a package for impersonation says that this session is not its user's.

    django-hijack, django-loginas and django-impersonate each keep a note in it.
    """
    notes = (
        "hijack_history",
        getattr(settings, "LOGINAS_FROM_USER_SESSION_FLAG", "loginas_from_user"),
        "_impersonate",
    )
    return any(session.get(note) for note in notes)


def is_recent(session: SessionBase, *, now: float) -> bool:
    """Whether the user authenticated at most five minutes ago.

    A provider may have authenticated the user hours before our login, so there its
    `auth_time` alone counts, and no login without one (T151): see confirmations.py. For
    a password or an emergency link the time of our login counts. Somebody who
    impersonates the user has never authenticated as them.
    """
    noted = login_facts(session)
    if is_impersonated(session) or "impersonator" in noted:
        return False
    at = (
        noted.get("authenticated_at")
        if "provider" in noted
        else session.get(SIGNED_IN_AT_KEY)
    )
    return isinstance(at, int) and 0 <= now - at <= RECENT


def _is_issuer(received: str, entry: ProviderConfig) -> bool:
    deviations = entry.client.deviations
    template = deviations.issuer_template
    if template is None:
        # The setting may have a slash at its end that the issuer does not have.
        return received.removesuffix("/") == entry.issuer.removesuffix("/")
    head, _, tail = template.partition(TENANT)
    tenant = received.removeprefix(head).removesuffix(tail)
    return of_tenant(template, tenant) == received and deviations.allows_tenant(tenant)
