"""Entra ID: the groups of somebody who is in too many of them for a token.

A token holds 200 groups; with more it says only where they are to be had. For
`GROUPS = {…, "OVERAGE": "oauth_login.contrib.entra.groups"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# By object id, as in the token. All kinds of memberships come, 999 on a page: asking
# for groups alone would need a header, and an index that lags behind.
FIRST_PAGE = (
    "https://graph.microsoft.com/v1.0/me/transitiveMemberOf?$select=id&$top=999"
)
GROUP = "#microsoft.graph.group"


def groups(
    get: Callable[[str], Mapping[str, Any]], claims: Mapping[str, Any]
) -> list[str]:
    """The object ids of all groups, direct or not, page by page.

    The access token must be one for Microsoft Graph, with `GroupMember.Read.All`.
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
