"""The one place that judges `iss`, also if each tenant has an issuer (T78, T79)."""

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
    """The token's issuer, which must equal the provider's issuer exactly (T78).

    If each tenant has an issuer, it must be the issuer of the tenant that the token
    names (T79). A key with an `issuer` member signs for that issuer alone; a template
    there allows every tenant.
    """
    received, tenant = jws.claims.get("iss"), jws.claims.get("tid")
    expected = issuer_of(tenant, client=context.client, metadata=context.metadata)
    if not isinstance(received, str) or received != expected:
        raise InvalidProviderResponse(
            f"{document}.iss_mismatch",
            expected=context.metadata.issuer,
            received=printable(received),
        )
    # Also for a single tenant: Entra ID's key sets contain the personal accounts' key.
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
    if client.deviations.login_oauth_issuer and (
        iss == f"{metadata.issuer.removesuffix('/')}/login/oauth"
    ):
        return
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
    """Raise unless the `iss` that a browser brought is this provider's issuer."""
    if not is_issuer(received, client=client, metadata=metadata):
        raise InvalidCallback(
            "callback.iss_mismatch",
            expected=metadata.issuer,
            received=printable(received),
        )


def issuer_of(
    tenant: object, *, client: Client, metadata: ServerMetadata
) -> str | None:
    """The issuer that tokens of that tenant must have; None if it is not allowed.

    A provider without an issuer template has a single issuer, and `tenant` is ignored.
    """
    if client.deviations.issuer_template is None:
        return metadata.issuer
    if not isinstance(tenant, str) or not client.deviations.allows_tenant(tenant):
        return None
    return of_tenant(metadata.issuer, tenant)


def is_issuer(received: str, *, client: Client, metadata: ServerMetadata) -> bool:
    """Whether the string is exactly an issuer of this provider."""
    if client.deviations.issuer_template is None:
        return received == metadata.issuer
    pattern = re.escape(metadata.issuer).replace(re.escape(TENANT), "([^/]+)")
    match = re.fullmatch(pattern, received)
    return match is not None and client.deviations.allows_tenant(match[1])


def of_tenant(template: str, tenant: str) -> str:
    """The template with the tenant filled in."""
    return template.replace(TENANT, tenant)
