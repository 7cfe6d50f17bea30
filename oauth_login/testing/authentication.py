"""How and when the person authenticated at the test provider.

OpenID Connect Core 3.1.2.1: `max_age`, `prompt` and `acr_values`, and `acr` in
`claims` (5.5.1.1).
"""

from __future__ import annotations

from collections.abc import Mapping

from oauth_login.testing.grants import requested_claims


def authenticated_at(
    request: Mapping[str, str], *, last: float | None, now: float
) -> float:
    """The time of authentication: `last`, unless the request demands a new one."""
    if last is None or request.get("prompt") == "login":
        return now
    if "max_age" in request and now - last > int(request["max_age"]):
        return now
    return last


def authentication_class(request: Mapping[str, str], *, usual: str) -> str:
    """The `acr`: `usual` if the request allows it, else the first one requested."""
    acr = (requested_claims(request).get("id_token") or {}).get("acr") or {}
    named = acr.get("values") or [acr[name] for name in ("value",) if name in acr]
    wanted = named or request.get("acr_values", "").split()
    return usual if usual in wanted or not wanted else str(wanted[0])
