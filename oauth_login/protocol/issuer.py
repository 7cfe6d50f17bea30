"""Whose issuer it is, also where each tenant has one of its own (T78, T79)."""

from __future__ import annotations

import re

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import TENANT
from oauth_login.protocol.discovery import ServerMetadata


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
