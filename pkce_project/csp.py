"""A strict Content-Security-Policy on every page: oauth_login needs no exception."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

POLICY = "default-src 'self'; form-action 'self'; frame-ancestors 'none'"


class ContentSecurityPolicyMiddleware:
    """Django 6 has one of its own; this one serves Django 5.2, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the policy, beside any that a view has set."""
        response = self._get_response(request)
        others = response.get("Content-Security-Policy")
        response["Content-Security-Policy"] = (
            f"{POLICY}, {others}" if others else POLICY
        )
        return response
