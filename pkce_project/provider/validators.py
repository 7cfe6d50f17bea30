"""Which claims the demo's provider makes."""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from pkce_project.provider.people import PEOPLE


class ClaimsValidator(OAuth2Validator):  # type: ignore[misc] # it has no types
    """Names, address and groups, each for its scope."""

    oidc_claim_scope = {**OAuth2Validator.oidc_claim_scope, "groups": "groups"}

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """The claims of the person who logged in."""
        user = request.user
        person = PEOPLE[user.username]
        return {
            "sub": f"{user.username}-{user.pk:04}",
            "preferred_username": user.username,
            "given_name": user.first_name,
            "family_name": user.last_name,
            "name": user.get_full_name(),
            "email": user.email,
            "email_verified": person.email_verified,
            "groups": list(person.groups),
        }
