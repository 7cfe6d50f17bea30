"""The test provider's documents: about itself, and about the person."""

from __future__ import annotations

from typing import Any

from oauth_login.testing.authorization import RESPONSE_MODES
from oauth_login.testing.client_auth import announced
from oauth_login.testing.grants import Grant
from oauth_login.testing.people import released
from oauth_login.testing.state import ProviderState

ID_TOKEN_LIFETIME = 600


def metadata(provider: ProviderState) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, 3."""
    endpoints = provider.endpoints
    del endpoints["discovery_url"]  # the address of this document itself
    document: dict[str, Any] = {
        "issuer": provider.issuer_template or provider.issuer,
        **endpoints,
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "profile", "email", "phone", "address"],
        "id_token_signing_alg_values_supported": [provider.key.alg],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": announced(provider.auth_methods),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": True,
    }
    if provider.mtls_endpoints:
        document["mtls_endpoint_aliases"] = provider.mtls_endpoints
    if provider.signs_userinfo:
        document["userinfo_signing_alg_values_supported"] = [provider.key.alg]
    return document


def id_token_claims(
    provider: ProviderState, grant: Grant, *, without_claims: bool
) -> dict[str, Any]:
    """OpenID Connect Core 2 and 3.1.3.6; `without_claims`: protocol claims only."""
    now = int(provider.now())
    return {
        **({} if without_claims else _claims(grant)),
        **_one_by_one(grant, "id_token"),
        "iss": provider.issuer,
        "aud": provider.client_id,
        "sub": grant.claims["sub"],
        "iat": now,
        "exp": now + ID_TOKEN_LIFETIME,
        "auth_time": int(grant.authenticated_at),
        **({"acr": grant.acr} if grant.acr else {}),
        **({"tid": provider.tenant} if provider.tenant else {}),
        "nonce": grant.request["nonce"],
        "at_hash": provider.key.half_hash(grant.access_token or ""),
    }


def userinfo_claims(provider: ProviderState, grant: Grant) -> dict[str, Any]:
    """OpenID Connect Core 5.3.2."""
    claims = {} if provider.claims_in == "id_token" else _claims(grant)
    one_by_one = _one_by_one(grant, "userinfo")
    return {**claims, **one_by_one, "sub": grant.claims["sub"]}


def user_document(provider: ProviderState, grant: Grant) -> dict[str, Any]:
    """Plain OAuth 2.0 defines no claims and no scopes for them: return everything."""
    document = {provider.subject_field: grant.claims["sub"], **grant.claims}
    return {"data": document} if provider.user_in_data else document


def emails_document(grant: Grant) -> list[dict[str, Any]]:
    """The person's email addresses in GitHub's format."""
    if "email" not in grant.claims:
        return []
    verified = grant.claims.get("email_verified") is True
    return [{"email": grant.claims["email"], "primary": True, "verified": verified}]


def _claims(grant: Grant) -> dict[str, Any]:
    return released(grant.claims, scope=grant.request.get("scope", ""))


def _one_by_one(grant: Grant, place: str) -> dict[str, Any]:
    """Core section 5.5: a claim requested by name needs no scope."""
    names = grant.asked_for(place)
    return {name: grant.claims[name] for name in names if name in grant.claims}
