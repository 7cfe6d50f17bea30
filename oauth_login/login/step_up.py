"""Step-up: whether the login of this session satisfies a stricter requirement (T27).

A requirement says how old the authentication may be, which class it must have, and at
which provider. It is compared with `auth_time` and `acr` of the ID token of this
session's login (OpenID Connect Core 2). A login with a password, or at a provider that
sends neither claim, satisfies no such requirement.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from oauth_login.conf import get_config
from oauth_login.models import Identity
from oauth_login.protocol.request_parameters import are_no_weaker, meets_acr
from oauth_login.sealing import MAX_TEXT, seal_text, unseal_text
from oauth_login.sessions.facts import is_login_at, login_facts

PURPOSE = "step_up"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What is required of a login: `max_age` in seconds, one of `acr`, `provider`.

    If all three are None or empty, any login will do.
    """

    max_age: int | None = None
    acr: tuple[str, ...] = ()
    provider: str | None = None

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the authorization request (OpenID Connect Core 3.1.2.1)."""
        params = {}
        if self.max_age is not None:
            params["max_age"] = str(self.max_age)
        if self.acr:
            params["acr_values"] = " ".join(self.acr)
        return params


def requirement(
    *,
    max_age: int | None = None,
    acr: str | Sequence[str] | None = None,
    provider: str | None = None,
) -> Requirement:
    """The requirement of a decorator's arguments; ValueError if they are not valid."""
    if max_age is not None and (isinstance(max_age, bool) or max_age < 0):
        raise ValueError("max_age must be a number of seconds, 0 or more")
    values = (acr,) if isinstance(acr, str) else tuple(acr or ())
    if any(not value or value.split() != [value] for value in values):
        raise ValueError("acr must be one value without spaces, or a list of them")
    return Requirement(max_age, values, provider)


def is_satisfied(session: SessionBase, required: Requirement, *, now: float) -> bool:
    """Whether the login of this session satisfies the requirement.

    The authentication may be older by the provider's LEEWAY, because its clock may
    differ from ours by as much: without this, a user who has just come back would be
    sent to the provider again.
    """
    noted = login_facts(session)
    alias = required.provider or noted.get("provider") or ""
    if required == Requirement():
        return True  # any login will do
    if not is_login_at(noted, alias):
        return False
    client = get_config().providers[alias].client
    if required.max_age is not None:
        at = noted.get("authenticated_at")
        if not isinstance(at, int):
            return False
        if now - at > required.max_age + client.leeway:
            return False
    # Classes that are weaker than the settings' are an error of the page: its request
    # says so (T152).
    return not required.acr or (
        are_no_weaker(client, required.acr)
        and meets_acr(noted.get("acr"), required.acr, order=client.acr_order)
    )


def provider_for(user: Any, session: SessionBase, required: Requirement) -> str | None:
    """The provider where this user can satisfy the requirement; None if there is none.

    The required provider, else that of this session, else the one of the user's most
    recent login.
    """
    providers = get_config().providers
    if required.provider is not None:
        return required.provider if required.provider in providers else None
    alias = login_facts(session).get("provider")
    if alias in providers:
        return str(alias)
    rows = Identity.objects.filter(user_id=user.pk, provider__in=list(providers))
    return rows.order_by("-last_login_at").values_list("provider", flat=True).first()


def seal_params(params: Mapping[str, str]) -> str:
    """The parameters, sealed for the query of a link that only this site can make."""
    return seal_text(json.dumps(dict(params)), purpose=PURPOSE)


def unseal_params(wish: str) -> dict[str, str]:
    """The parameters of such a link; empty if this site did not make it."""
    if len(wish) > MAX_TEXT:
        return {}
    text = unseal_text(wish, purpose=PURPOSE)
    return dict(json.loads(text)) if text else {}
