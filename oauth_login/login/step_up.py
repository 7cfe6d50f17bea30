"""How a login must have been for something that needs more than any login (T27).

A requirement says how old the authentication may be, of which class it must be, and at
which provider. What is compared with it is what the ID token of this session's login
said (OpenID Connect Core 2, `auth_time` and `acr`); whoever logged in with a password,
or at a provider that says neither, meets none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from oauth_login.conf import get_config
from oauth_login.models import Identity
from oauth_login.sealing import MAX_TEXT, seal_text, unseal_text
from oauth_login.sessions.facts import login_facts

PURPOSE = "step_up"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a login must have been: `max_age` in seconds, any of `acr`, at `provider`.

    All three None or empty is a login of any kind.
    """

    max_age: int | None = None
    acr: tuple[str, ...] = ()
    provider: str | None = None

    @property
    def params(self) -> dict[str, str]:
        """What to ask the provider for (OpenID Connect Core 3.1.2.1)."""
        wished = {}
        if self.max_age is not None:
            wished["max_age"] = str(self.max_age)
        if self.acr:
            wished["acr_values"] = " ".join(self.acr)
        return wished


def requirement(
    *, max_age: int | None, acr: str | Sequence[str] | None, provider: str | None
) -> Requirement:
    """The requirement of a decorator's arguments; ValueError if it makes no sense."""
    if max_age is not None and (isinstance(max_age, bool) or max_age < 0):
        raise ValueError("max_age is a number of seconds")
    values = (acr,) if isinstance(acr, str) else tuple(acr or ())
    if any(not value or value.split() != [value] for value in values):
        raise ValueError("each acr is one word")
    return Requirement(max_age, values, provider)


def is_met(session: SessionBase, required: Requirement, *, now: float) -> bool:
    """Whether the login of this session was as required.

    The provider's clock may differ from ours by its LEEWAY, and so much older may the
    authentication be: or else whoever has just come back would be sent away again.
    """
    noted = login_facts(session)
    alias = noted.get("provider")
    if required.provider is not None and alias != required.provider:
        return False
    if required.max_age is not None:
        entry = get_config().providers.get(alias or "")
        at = noted.get("authenticated_at")
        if entry is None or not isinstance(at, int):
            return False
        if now - at > required.max_age + entry.client.leeway:
            return False
    return not required.acr or noted.get("acr") in required.acr


def provider_for(user: Any, session: SessionBase, required: Requirement) -> str | None:
    """Where this user can meet the requirement; None if nowhere.

    The one that is required, else the one of this session, else the one that the user
    logged in at last.
    """
    providers = get_config().providers
    if required.provider is not None:
        return required.provider if required.provider in providers else None
    alias = login_facts(session).get("provider")
    if alias in providers:
        return str(alias)
    rows = Identity.objects.filter(user_id=user.pk, provider__in=list(providers))
    return rows.order_by("-last_login_at").values_list("provider", flat=True).first()


def sealed(params: Mapping[str, str]) -> str:
    """What is required, for a link that only this site can make."""
    return seal_text(json.dumps(dict(params)), purpose=PURPOSE)


def unsealed(wish: str) -> dict[str, str]:
    """What the link requires; nothing if it is none of ours."""
    if len(wish) > MAX_TEXT:
        return {}
    text = unseal_text(wish, purpose=PURPOSE)
    return dict(json.loads(text)) if text else {}
