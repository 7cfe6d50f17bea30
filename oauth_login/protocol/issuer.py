"""Whose issuer it is, also where each tenant has one of its own (T78, T79)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oauth_login.errors import InvalidCallback, InvalidProviderResponse
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import TENANT
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.jose.jws import TokenContext, VerifiedJws
from oauth_login.protocol.strict_json import printable


def check_issuer(jws: VerifiedJws, context: TokenContext, *, document: str) -> str:
    """The token's issuer, which is the provider's, to the letter (T78).

    Where each tenant has its own, it is that of the tenant which the token names (T79).
    A key that says whose it is signs for that issuer alone, or for every tenant.
    """
    received, tenant = jws.claims.get("iss"), jws.claims.get("tid")
    expected = issuer_of(tenant, client=context.client, metadata=context.metadata)
    if not isinstance(received, str) or received != expected:
        raise InvalidProviderResponse(
            f"{document}.iss_mismatch",
            expected=context.metadata.issuer,
            received=printable(received),
        )
    # Also for a single tenant: Entra ID's key sets have the key of personal accounts.
    if jws.key_issuer is not None:
        owner = of_tenant(jws.key_issuer, str(tenant))
        if owner != received:
            raise InvalidProviderResponse(
                f"{document}.key_not_found", expected=received, received=owner
            )
    return received


def check_response_issuer(
    params: Mapping[str, str], *, client: Client, metadata: ServerMetadata
) -> None:
    """Raise unless this provider sent the authorization response (RFC 9207 2.4)."""
    iss = params.get("iss")
    if iss is not None:
        check_sender(iss, client=client, metadata=metadata)
    # An error ends the login with or without `iss`, which django-oauth-toolkit 3.4
    # (seen in November 2026) leaves out of its errors; nothing is redeemed.
    elif (
        metadata.authorization_response_iss_parameter_supported
        and "error" not in params
    ):
        raise InvalidCallback("callback.iss_missing", expected=metadata.issuer)  # T35


def check_sender(received: str, *, client: Client, metadata: ServerMetadata) -> None:
    """Raise unless the `iss` parameter of a URL of ours is this provider's issuer."""
    if not is_issuer(received, client=client, metadata=metadata):
        raise InvalidCallback(
            "callback.iss_mismatch",
            expected=metadata.issuer,
            received=printable(received),
        )


def issuer_of(
    tenant: object, *, client: Client, metadata: ServerMetadata
) -> str | None:
    """The issuer that tokens of that tenant must have; None if it may not enter.

    Where the provider is one issuer, as the standard has it, there are no tenants: it
    is that one, whatever `tenant` says.
    """
    if client.deviations.issuer_template is None:
        return metadata.issuer
    if not isinstance(tenant, str) or not client.deviations.allows_tenant(tenant):
        return None
    return of_tenant(metadata.issuer, tenant)


def is_issuer(received: str, *, client: Client, metadata: ServerMetadata) -> bool:
    """Whether that is an issuer of this provider, to the letter."""
    if client.deviations.issuer_template is None:
        return received == metadata.issuer
    pattern = re.escape(metadata.issuer).replace(re.escape(TENANT), "([^/]+)")
    match = re.fullmatch(pattern, received)
    return match is not None and client.deviations.allows_tenant(match[1])


def of_tenant(template: str, tenant: str) -> str:
    """The template with the tenant in its place."""
    return template.replace(TENANT, tenant)
