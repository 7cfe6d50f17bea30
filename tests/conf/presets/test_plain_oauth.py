"""GitHub, X and Bitbucket: without ID tokens, in documents of their own forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauth_login.models import Identity
from tests.conf.presets.conftest import Site

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]
GITHUB = "https://github.com"


@pytest.mark.parametrize("iss", [f"{GITHUB}/login/oauth", GITHUB, None])
def test_github_names_its_authorization_server_in_the_answer(
    site_of: SiteOf, iss: str | None
) -> None:
    # T35: RFC 9207, since April 2026
    site = site_of("github")
    site.vendor.callback = {} if iss is None else {"iss": iss}
    site.log_in()
    assert site.code == ""
    # Users of before stay who they are.
    assert Identity.objects.get().issuer == GITHUB


@pytest.mark.parametrize(
    "iss",
    [
        *("", f"{GITHUB}/", f"{GITHUB}/login", f"{GITHUB}/login/oauth/"),
        *(f"{GITHUB}/login/oauth?a=b", f"{GITHUB}/LOGIN/oauth", "/login/oauth"),
        *("http://github.com/login/oauth", "https://evil.example/login/oauth"),
        "https://github.com.evil.example/login/oauth",
        f"{GITHUB}/login/oauth/login/oauth",
    ],
)
def test_another_authorization_server_than_githubs_is_refused(
    site_of: SiteOf, iss: str
) -> None:
    # T35
    site = site_of("github")
    site.vendor.callback = {"iss": iss}
    site.log_in()
    assert (site.code, site.user) == ("callback.iss_mismatch", None)


@pytest.mark.parametrize("name", ["github", "google", "gitlab"])
def test_without_the_switch_an_issuer_has_no_path_behind_it(
    site_of: SiteOf, name: str
) -> None:
    # T35
    site = site_of(name, DEVIATIONS=())
    issuer = site.vendor.expected["issuer"]
    site.vendor.callback = {"iss": f"{issuer}/login/oauth"}
    site.log_in()
    assert (site.code, site.user) == ("callback.iss_mismatch", None)


def test_a_github_of_ones_own_names_its_own_host(site_of: SiteOf) -> None:
    # T35
    host = "https://github.corp.example"
    site = site_of("github", ISSUER=host)
    site.vendor.callback = {"iss": f"{host}/login/oauth"}
    site.log_in()
    assert (site.code, Identity.objects.get().issuer) == ("", host)
    site.browser.logout()
    site.vendor.callback = {"iss": f"{GITHUB}/login/oauth"}
    site.log_in()
    assert site.code == "callback.iss_mismatch"


@pytest.mark.parametrize(
    "subject", [None, True, "", " ", [], {"id": 1}, 1.5, "a" * 256]
)
def test_a_subject_is_text_or_a_whole_number(site_of: SiteOf, subject: object) -> None:
    # T88; pains 49: and the login name never stands in for it
    site = site_of("github")
    site.vendor.userinfo["id"] = subject
    site.log_in()
    assert (site.code, site.user) == ("userinfo.sub_missing", None)


def test_without_the_switch_a_document_within_another_is_not_found(
    site_of: SiteOf,
) -> None:
    site = site_of("x", DEVIATIONS=())
    site.log_in()
    assert (site.code, site.user) == ("userinfo.sub_missing", None)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": [{"id": "1"}]},
        {"data": "1"},
        {"data": {"data": {"id": "1"}}},
        {"data": {"id": ""}},
        {"data": {}, "id": "2244994945"},
        {"id": "2244994945", "errors": [{"title": "Not Found Error"}]},
    ],
)
def test_with_the_switch_only_what_is_within_counts(
    site_of: SiteOf, document: dict[str, Any]
) -> None:
    # T88
    site = site_of("x")
    site.vendor.userinfo = document
    site.log_in()
    assert (site.code, site.user) == ("userinfo.sub_missing", None)


def test_what_stands_beside_it_is_nobodys_claim(site_of: SiteOf) -> None:
    # T95
    site = site_of("x", STAFF_IF={"role": ["admin"]})
    site.vendor.userinfo |= {"role": "admin", "id": "1", "username": "root"}
    site.log_in()
    assert (site.user.username, site.user.is_staff) == ("alice_example", False)
    assert Identity.objects.get().subject == "2244994945"


def test_a_confirmed_address_of_x_is_not_a_verified_one(site_of: SiteOf) -> None:
    # T94
    site = site_of("x", STAFF_IF={"email_domain": ["corp.example"]})
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", False)


@pytest.mark.parametrize(
    ("primary", "confirmed", "stored"),
    [
        (True, True, True),
        (True, False, False),
        (False, True, False),
        (True, "true", False),
        (1, 1, False),
        (None, True, False),
    ],
)
def test_bitbucket_says_in_its_own_words_which_address_is_whose(
    site_of: SiteOf, primary: object, confirmed: object, stored: bool
) -> None:
    # T90, T94
    site = site_of("bitbucket")
    address: dict[str, object] = {"email": "alice@corp.example", "type": "email"}
    address |= {"is_primary": primary, "is_confirmed": confirmed}
    site.vendor.emails = {"values": [address]}  # type: ignore[assignment] # as it is
    site.log_in()
    assert site.code == ""
    assert site.user.email == ("alice@corp.example" if stored else "")
    assert site.user.is_staff is stored
