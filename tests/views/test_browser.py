"""What scripts are told, and where people come back to whom a script sent away."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

HOME = "https://testserver"
HTMX = {"HX-Request": "true"}
PATHS = ["/auth/corp/login/", "/auth/login/", "/auth/login/?next=/orders/rows/"]


def told(client: Client, path: str, headers: dict[str, str]) -> str:
    response = client.get(path, secure=True, headers=headers)
    assert response.status_code == 401
    if "HX-Request" in headers:
        return str(response["HX-Redirect"])
    return str(response.json()["login_url"])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("shown", "back"),
    [
        ("/orders/", "/orders/"),
        ("/orders/?page=2&q=a%20b", "/orders/?page=2&q=a%20b"),
        ("/private/#row-7", "/private/#row-7"),
        ("/auth/account/", "/auth/account/"),
    ],
)
def test_htmx_comes_back_to_the_page_that_it_was_on(
    client: Client, path: str, shown: str, back: str
) -> None:
    expected = f"/auth/login/?next={quote(back, safe='')}"
    by_url = {**HTMX, "HX-Current-URL": HOME + shown}
    by_referer = {**HTMX, "Referer": HOME + shown}
    script = {"X-Requested-With": "XMLHttpRequest", "Referer": HOME + shown}

    for headers in (by_url, by_referer, script):
        assert told(client, path, headers) == expected


@pytest.mark.parametrize("header", ["HX-Current-URL", "Referer"])
@pytest.mark.parametrize(
    "shown",
    [
        "",
        "https://evil.example/orders/",
        "https://testserver.evil.example/orders/",
        "https://testserver@evil.example/orders/",
        "http://testserver/orders/",
        "//evil.example/orders/",
        "https://testserver//evil.example/",
        "https://testserver/\\evil.example/",
        "javascript:alert(1)",
        "https://testserver/auth/login/?next=/orders/",
        "https://testserver/auth/corp/login/",
        "https://testserver/auth/logout/",
        f"https://testserver/{'a' * 3000}",
    ],
)
def test_nobody_comes_back_to_anything_else(
    client: Client, header: str, shown: str
) -> None:
    # T15, T16
    assert told(client, PATHS[0], {**HTMX, header: shown}) == "/auth/login/"


def test_the_page_is_preferred_to_the_referer(client: Client) -> None:
    headers = {
        **HTMX,
        "HX-Current-URL": f"{HOME}/orders/",
        "Referer": f"{HOME}/before/",
    }
    assert told(client, PATHS[1], headers) == "/auth/login/?next=%2Forders%2F"


def test_an_address_that_htmx_encoded_is_read(client: Client) -> None:
    headers = {
        **HTMX,
        "HX-Current-URL": quote(f"{HOME}/büro/", safe=""),
        "HX-Current-URL-URI-AutoEncoded": "true",
    }
    back = told(client, PATHS[1], headers)
    assert back == f"/auth/login/?next={quote('/büro/', safe='')}"


@pytest.mark.parametrize(
    ("next_path", "expected"),
    [
        ("/orders/", "/auth/login/?next=%2Forders%2F"),
        ("https://evil.example/", "/auth/login/?next=%2Fhome%2F"),
        ("", "/auth/login/?next=%2Fhome%2F"),
    ],
)
def test_a_boosted_link_goes_on_to_where_it_led(
    client: Client, next_path: str, expected: str
) -> None:
    headers = {**HTMX, "HX-Boosted": "true", "HX-Current-URL": f"{HOME}/home/"}
    path = f"/auth/login/?next={quote(next_path)}"
    assert told(client, path, headers) == expected
