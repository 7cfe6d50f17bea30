"""Which URLs requests may go to, and under which address the provider is reached."""

from __future__ import annotations

import pytest

from oauth_login.protocol.urls import (
    is_allowed_url,
    is_loopback_name,
    is_site_url,
    origin,
    seen_from_here,
)

ISSUER = "https://id.example.com"
BACKEND = "http://keycloak:8080"


@pytest.mark.parametrize(
    ("url", "without", "with_loopback"),
    [
        ("https://id.example.com", True, True),
        ("https://ID.Example.com", True, True),
        ("https://id.example.com:8443/a?b=c", True, True),
        ("http://id.example.com", False, False),
        ("http://localhost:9000", False, True),
        ("http://127.0.0.1", False, True),
        ("http://[::1]:1", False, True),
        ("http://localhost.evil.example", False, False),
        ("http://localhost:80@evil.example", False, False),
        ("http://127.1", False, False),
        ("http://0x7f.1", False, False),
        ("http://①②⑦.⓪.⓪.①", False, False),
        ("https://op\\@evil.example", False, False),
        ("https://evil\t.example", False, False),
        ("https://user:pw@id.example.com", False, False),
        ("https://id.example.com#x", False, False),
        ("https://id.example.com:0", False, False),
        ("https://id.example.com:99999", False, False),
        ("https://", False, False),
        ("https://" + "a" * 254, False, False),
        ("javascript:alert(1)", False, False),
        ("//id.example.com", False, False),
        ("https://[::1", False, False),
        ("", False, False),
    ],
)
def test_only_plain_https_urls_are_asked(
    url: str, without: bool, with_loopback: bool
) -> None:
    # T45, T49
    assert is_allowed_url(url, allow_http_loopback=False) is without
    assert is_allowed_url(url, allow_http_loopback=True) is with_loopback


@pytest.mark.parametrize(
    ("length", "allowed"), [(252, True), (253, True), (254, False)]
)
def test_a_host_has_253_characters_at_most(length: int, allowed: bool) -> None:
    # T49
    labels = ("a" * 61 + ".") * 4
    url = f"https://{labels}{'a' * (length - len(labels))}/"
    assert is_allowed_url(url, allow_http_loopback=False) is allowed


@pytest.mark.parametrize(
    ("url", "there"),
    [
        (f"{ISSUER}/realms/x/token?a=b", f"{BACKEND}/realms/x/token?a=b"),
        ("https://other.example/token", "https://other.example/token"),
        (f"{ISSUER}:8443/token", f"{ISSUER}:8443/token"),
        (f"{BACKEND}/token", f"{BACKEND}/token"),
    ],
)
def test_only_what_is_at_the_issuers_address_is_asked_behind_it(
    url: str, there: str
) -> None:
    issuer = f"{ISSUER}/realms/x"
    seen = seen_from_here(url, issuer=issuer, backend_base_url=f"{BACKEND}/ignored")
    assert seen == there
    assert seen_from_here(url, issuer=issuer, backend_base_url=None) == url


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://a.example:1/b?c") == "https://a.example:1"


HERE = ["localhost", "LocalHost", "t1.localhost", "a.b.localhost", "127.0.0.1", "::1"]
ELSEWHERE = [
    None,
    "",
    ".localhost",
    "a..localhost",
    "-.localhost.",
    "localhost.",
    "t1.localhost.",
    "notlocalhost",
    "localhost.example.com",
    "t1.localhost.example.com",
    "t1.local",
    "a/b.localhost",
    "a@b.localhost",
    "127.0.0.2.example.com",
    f"{'a' * 64}.localhost",
]


@pytest.mark.parametrize("host", HERE)
def test_a_browser_never_looks_these_up(host: str) -> None:
    assert is_loopback_name(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_these_may_be_another_machine(host: str | None) -> None:
    assert not is_loopback_name(host)


@pytest.mark.parametrize(
    ("url", "on_loopback", "otherwise"),
    [
        ("https://app.example.com", True, True),
        ("https://t1.localhost", True, True),
        ("http://localhost:8000", True, False),
        ("http://t1.localhost:8000", True, False),
        ("http://T1.LOCALHOST:8000", True, False),
        ("http://[::1]:8000", True, False),
        ("http://app.example.com", False, False),
        ("http://t1.localhost.example.com", False, False),
        ("http://user@t1.localhost", False, False),
        ("http://t1.localhost:0", False, False),
        ("http://t1.localhost#", False, False),
        ("ftp://t1.localhost", False, False),
        ("//t1.localhost", False, False),
        ("http:t1.localhost", False, False),
    ],
)
def test_a_site_is_https_or_on_this_machine(
    url: str, on_loopback: bool, otherwise: bool
) -> None:
    assert is_site_url(url, allow_http_loopback=True) is on_loopback
    assert is_site_url(url, allow_http_loopback=False) is otherwise


def test_no_request_is_sent_to_a_name_that_a_resolver_may_know() -> None:
    # T49: browsers take *.localhost for this machine; a server's resolver may not.
    assert not is_allowed_url("http://t1.localhost/token", allow_http_loopback=True)
