"""The userinfo response, and how its claims extend the ID token's (Core 5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.claims import check_audience, is_subject, numeric_date
from oauth_login.protocol.http import (
    ProviderRequest,
    ProviderResponse,
    check_size,
    check_status,
    json_object,
    json_value,
    media_type,
)
from oauth_login.protocol.issuer import check_issuer
from oauth_login.protocol.jose.jwe import decrypted, is_encrypted
from oauth_login.protocol.jose.jws import TokenContext, verified_jws
from oauth_login.protocol.members import without_empty_claims
from oauth_login.protocol.strict_json import printable

# Claims about the login itself: only the ID token's count (T62).
PROTOCOL_CLAIMS = {
    *("iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "jti", "sid"),
    *("auth_time", "acr", "amr", "at_hash", "c_hash", "s_hash"),
}
# Claims about when and how the person authenticated: only the ID token's count.
AUTHENTICATION_CLAIMS = {"auth_time", "acr", "amr", "sid"}
# These belong together: a verification is about one address.
EMAIL_CLAIMS = {"email", "email_verified"}
# A userinfo claim with a longer name is ignored: no rule can sensibly name it.
MAX_CLAIM_NAME = 255


def userinfo_request(access_token: str, *, userinfo_endpoint: str) -> ProviderRequest:
    """Ask for the claims about the access token's person (Core 5.3.1, RFC 6750 2.1)."""
    headers = {
        "Authorization": f"Bearer {access_token}",
        "Accept": "application/json, application/jwt",
    }
    return ProviderRequest("GET", userinfo_endpoint, "userinfo", headers)


def parse_userinfo_response(
    response: ProviderResponse, context: TokenContext, *, expected_subject: str
) -> Mapping[str, Any]:
    """The claims, if they are about the person of the ID token (Core 5.3.4, T61)."""
    claims = without_empty_claims(_claims(response, context))
    subject = claims.get("sub")
    if not is_subject(subject):
        raise InvalidProviderResponse("userinfo.sub_missing")
    if subject != expected_subject:
        raise InvalidProviderResponse("userinfo.sub_mismatch")
    return claims


def parse_user_document(
    response: ProviderResponse, *, subject_field: str, within: str | None = None
) -> tuple[str, Mapping[str, Any]]:
    """The subject and the claims of a provider without ID tokens (plain OAuth 2.0).

    The subject is the field that the settings name, a string or a whole number. The
    document is the response, or its member `within`.
    """
    _check_status(response)
    document = json_object(response, document="userinfo")
    if within is not None:
        inner = document.get(within)
        if not isinstance(inner, dict):
            raise InvalidProviderResponse("userinfo.sub_missing", expected=within)
        document = inner
    value = document.get(subject_field)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not is_subject(value):
        raise InvalidProviderResponse(
            "userinfo.sub_missing",
            expected=subject_field,
            received=type(value).__name__,
        )
    claims = without_empty_claims(document)
    return value, {n: v for n, v in claims.items() if n not in AUTHENTICATION_CLAIMS}


def emails_request(access_token: str, *, emails_endpoint: str) -> ProviderRequest:
    """Ask a provider with an endpoint for email addresses for the person's (GitHub)."""
    return userinfo_request(access_token, userinfo_endpoint=emails_endpoint)


def parse_emails_response(response: ProviderResponse) -> dict[str, Any]:
    """`email` and `email_verified` of the address that is primary and verified.

    Empty if there is none: an unverified address may belong to another person.
    """
    _check_status(response)
    document = json_value(response, document="userinfo", kind=(list, dict))
    entries = document.get("values") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise InvalidProviderResponse("userinfo.not_json")
    for entry in entries:
        if isinstance(entry, dict) and _is_primary_and_verified(entry):
            return {"email": entry["email"], "email_verified": True}
    return {}


def _is_primary_and_verified(entry: Mapping[str, Any]) -> bool:
    """Whether GitHub or Bitbucket, each in its own words, says so of an address."""
    return isinstance(entry.get("email"), str) and any(
        entry.get(primary) is True and entry.get(verified) is True
        for primary, verified in (
            ("primary", "verified"),
            ("is_primary", "is_confirmed"),
        )
    )


def merged_claims(
    id_token: Mapping[str, Any], userinfo: Mapping[str, Any]
) -> dict[str, Any]:
    """The claims of both documents; the ID token takes precedence (T62).

    `email` and `email_verified` come from the same document: from the ID token if it
    has one of them, otherwise from userinfo.
    """
    reserved = PROTOCOL_CLAIMS
    if not EMAIL_CLAIMS.isdisjoint(id_token):
        reserved = reserved | EMAIL_CLAIMS
    # T147: "realm_access.roles" would be read in the place of the ID token's
    # `realm_access`, and the other way round.
    reserved = reserved.union(*map(_dotted_prefixes, id_token))
    added = {
        name: value
        for name, value in userinfo.items()
        if len(name) <= MAX_CLAIM_NAME
        and name not in reserved
        and id_token.keys().isdisjoint(_dotted_prefixes(name))
    }
    return {**added, **id_token}


def _dotted_prefixes(name: str) -> set[str]:
    """The beginnings of the name up to each dot; none of an unreasonably long name."""
    if len(name) > MAX_CLAIM_NAME:
        return set()
    return {name[:at] for at, character in enumerate(name) if character == "."}


def _claims(response: ProviderResponse, context: TokenContext) -> Mapping[str, Any]:
    client = context.client
    _check_status(response)
    if media_type(response) != "application/jwt":
        return json_object(response, document="userinfo")
    check_size(response, document="userinfo")
    token = response.body.decode("ascii", errors="replace").strip()
    # Registered separately from the ID token's encryption, so both forms are accepted.
    if client.decryption_keys and is_encrypted(token):
        token = decrypted(token, document="userinfo", keys=client.decryption_keys)
    jws = verified_jws(token, context, document="userinfo")
    # Core 5.3.2: a signed response names its issuer, and us as the audience (T63).
    check_issuer(jws, context, document="userinfo")
    check_audience(jws.claims, client=client, document="userinfo")
    # A logout token or a security event is not a userinfo response (T77).
    if "events" in jws.claims:
        raise InvalidProviderResponse("userinfo.typ", received="events")
    # RFC 7519 4.1.4: `exp` is optional, but if present it must be in the future.
    if "exp" in jws.claims:
        exp = numeric_date(jws.claims, "exp", document="userinfo")
        if exp <= context.now - client.leeway:
            raise InvalidProviderResponse("userinfo.expired", received=exp)
    return jws.claims


def _check_status(response: ProviderResponse) -> None:
    """Raise unless it is 200. A rejected token (RFC 6750 3.1) has its own code."""
    if response.status in (401, 403):
        raise InvalidProviderResponse(
            "userinfo.refused",
            received=printable(response.headers.get("www-authenticate", "")),
        )
    check_status(response, document="userinfo")
