"""Our pages keep the site's Content-Security-Policy, and are never framed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import django
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

HEADER = "Content-Security-Policy"
REPORTS = "Content-Security-Policy-Report-Only"
DJANGOS = "django.middleware.csp.ContentSecurityPolicyMiddleware"
PATHS = ["/auth/login/", "/auth/corp/callback/", "/auth/logged-out/", "/auth/account/"]
POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "frame-ancestors": ["'self'"],
}
KEPT = {"default-src 'none'", "style-src 'self'", "frame-ancestors 'none'"}

of_django_6 = pytest.mark.skipif(
    django.VERSION < (6, 0), reason="Django has a policy of its own since 6.0"
)


def directives(response: Any, header: str = HEADER) -> set[str]:
    return set(filter(None, response.get(header, "").split("; ")))


def get(client: Client, path: str) -> Any:
    response = client.get(path, secure=True)
    assert response["X-Frame-Options"] == "DENY"  # T13
    return response


class LikeDjangoCsp:
    """What django-csp does of a policy: its attributes, and a header left alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from django.conf import settings

        request.csp_nonce = "unused"  # type: ignore[attr-defined]
        response = self._get_response(request)
        policy = getattr(settings, "CONTENT_SECURITY_POLICY", None)
        if policy and HEADER not in response:
            replaced = getattr(response, "_csp_replace", None) or {}
            whole = {**policy["DIRECTIVES"], **replaced}
            response[HEADER] = "; ".join(f"{k} {' '.join(v)}" for k, v in whole.items())
        return response


class WithMark:
    """A middleware of a site's own, which knows some directives and no others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request._csp_to_merge = {}
        response = self._get_response(request)
        if "frame-ancestors" in response.get(HEADER, ""):
            raise ValueError("Invalid CSP directive frame-ancestors")
        response.setdefault(HEADER, "default-src 'none'")
        return response


LIKE_CSP = f"{__name__}.LikeDjangoCsp"


@pytest.mark.parametrize("path", PATHS)
def test_without_a_policy_of_the_site_there_is_ours(client: Client, path: str) -> None:
    # T13
    assert directives(get(client, path)) == {"frame-ancestors 'none'"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("first", [True, False])
def test_the_policy_of_django_csp_is_kept(
    client: Client, settings: Settings, path: str, first: bool
) -> None:
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": POLICY}
    others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [LIKE_CSP, *others] if first else [*others, LIKE_CSP]

    assert directives(get(client, path)) == KEPT
    assert POLICY["frame-ancestors"] == ["'self'"]
    # Other pages have what the site says.
    assert "frame-ancestors 'self'" in directives(client.get("/home/", secure=True))


def test_where_django_csp_only_reports_the_policy_is_ours(
    client: Client, settings: Settings
) -> None:
    settings.CONTENT_SECURITY_POLICY_REPORT_ONLY = {"DIRECTIVES": POLICY}
    settings.MIDDLEWARE = [LIKE_CSP, *settings.MIDDLEWARE]

    assert directives(get(client, PATHS[0])) == {"frame-ancestors 'none'"}


@pytest.mark.parametrize("path", PATHS)
def test_a_policy_of_the_sites_own_making_is_left_to_it(
    client: Client, settings: Settings, path: str
) -> None:
    settings.MIDDLEWARE = [f"{__name__}.WithMark", *settings.MIDDLEWARE]

    assert directives(get(client, path)) == {"default-src 'none'"}


@of_django_6
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("first", [True, False])
def test_djangos_own_policy_is_kept(
    client: Client, settings: Settings, path: str, first: bool
) -> None:
    settings.SECURE_CSP = POLICY
    others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [DJANGOS, *others] if first else [*others, DJANGOS]

    assert directives(get(client, path)) == KEPT
    assert POLICY["frame-ancestors"] == ["'self'"]
    assert "frame-ancestors 'self'" in directives(client.get("/home/", secure=True))


@of_django_6
def test_djangos_own_policy_without_frame_ancestors_gets_them(
    client: Client, settings: Settings
) -> None:
    settings.SECURE_CSP = {"default-src": "'self'"}
    settings.MIDDLEWARE = [DJANGOS, *settings.MIDDLEWARE]

    found = directives(get(client, PATHS[0]))
    assert found == {"default-src 'self'", "frame-ancestors 'none'"}


@of_django_6
@pytest.mark.parametrize("policy", [{}, POLICY])
def test_djangos_reports_go_on(
    client: Client, settings: Settings, policy: dict[str, list[str]]
) -> None:
    settings.SECURE_CSP = policy
    settings.SECURE_CSP_REPORT_ONLY = {"img-src": ["'none'"], "report-uri": "/csp/"}
    settings.MIDDLEWARE = [DJANGOS, *settings.MIDDLEWARE]

    response = get(client, PATHS[0])
    assert directives(response, REPORTS) == {"img-src 'none'", "report-uri /csp/"}
    assert directives(response) == (KEPT if policy else {"frame-ancestors 'none'"})
