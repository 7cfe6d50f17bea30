"""Entra ID: the groups of a user who has too many of them for an ID token.

An ID token holds up to 200 groups; for a user with more it holds only a URL for them.
For `GROUPS = {…, "OVERAGE": "oauth_login.contrib.entra.groups"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# By object id, as in the token. The response has all kinds of memberships, 999 a page:
# asking for groups alone would need a header, and uses an index that lags behind.
FIRST_PAGE = (
    "https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id&$top=999"
)
GROUP = "#microsoft.graph.group"


def groups(
    get: Callable[[str], Mapping[str, Any]], claims: Mapping[str, Any]
) -> list[str]:
    """The object ids of all groups, direct or nested, from all pages.

    The access token must be for Microsoft Graph, with `GroupMember.Read.All`.
    """
    found = []
    url: str | None = FIRST_PAGE
    while url is not None:
        page = get(url)
        found += [
            member["id"] for member in page["value"] if member["@odata.type"] == GROUP
        ]
        url = page.get("@odata.nextLink")
    return found
