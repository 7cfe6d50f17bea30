"""Each preset logs a user in at its provider as it is. (pains 29, 30, 48, 49, 60)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.checks import run_checks

from oauth_login.conf.presets import PRESETS
from oauth_login.models import Identity
from tests.conf.presets.conftest import Site
from tests.conf.presets.vendor import NAMES

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]

USER = {"username", "email", "first_name", "last_name", "staff", "groups"}
WITH_ID_TOKEN = [name for name in NAMES if "SUBJECT_FIELD" not in PRESETS[name].values]


def test_every_preset_has_a_fixture() -> None:
    assert sorted(PRESETS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_has_no_problems(site_of: SiteOf, name: str) -> None:
    site_of(name)
    assert [message.id for message in run_checks(tags=["oauth_login"])] == []


@pytest.mark.parametrize("name", NAMES)
def test_somebody_logs_in(site_of: SiteOf, name: str) -> None:
    # T88; pains 15: an address that is not verified is not stored
    site = site_of(name)
    response = site.log_in()
    assert (response.status_code, response["Location"], site.code) == (
        302,
        "/home/",
        "",
    )

    expected, identity = site.vendor.expected, Identity.objects.get()
    assert identity.issuer == expected["issuer"]
    assert identity.subject == expected["subject"]
    assert {
        "username": site.user.username,
        "email": site.user.email,
        "first_name": site.user.first_name,
        "last_name": site.user.last_name,
        "staff": site.user.is_staff,
        "groups": [group.name for group in site.user.groups.all()],
    } == {name: expected[name] for name in expected if name in USER}
    assert not site.user.is_superuser


@pytest.mark.parametrize("name", NAMES)
def test_what_is_sent_is_what_the_provider_takes(site_of: SiteOf, name: str) -> None:
    # T30, T54; pains 60
    site = site_of(name)
    site.log_in()
    sent = site.vendor.sent
    demanded = site.vendor.demands["authorization"]
    assert {name: sent.get(name) for name in demanded} == demanded
    assert ("code_verifier" in site.vendor.forms[0]) == ("code_challenge" in sent)
    assert ("nonce" in sent) == ("openid" in sent["scope"].split())
    assert site.vendor.requests == site.vendor.expected["requests"]


@pytest.mark.parametrize("name", NAMES)
def test_the_second_login_asks_for_no_documents(site_of: SiteOf, name: str) -> None:
    site = site_of(name)
    site.log_in()
    site.vendor.requests.clear()
    site.browser.logout()
    site.log_in()
    first = site.vendor.expected["requests"]
    assert site.vendor.requests == {
        name: count
        for name, count in first.items()
        if name not in ("discovery", "jwks")
    }
    assert Identity.objects.count() == 1


@pytest.mark.parametrize("name", NAMES)
def test_logging_out_leads_on_if_the_provider_has_a_way(
    site_of: SiteOf, name: str
) -> None:
    # T109, T110; pains 12
    site = site_of(name)
    site.log_in()
    response = site.browser.post("/auth/logout/", secure=True)
    assert response.status_code == 200
    assert "_auth_user_id" not in site.browser.session
    url = response.context.get("continue_url")
    expected = site.vendor.expected["logout"]
    if expected is None:
        assert url is None
        return
    assert url.partition("?")[0] == expected["url"]
    query = parse_qs(urlsplit(url).query)
    assert sorted(query) == sorted(expected["params"])
    assert "https://testserver/auth/logged-out/" in sum(query.values(), [])


@pytest.mark.parametrize("name", WITH_ID_TOKEN)
def test_a_wrong_signature_is_refused(site_of: SiteOf, name: str) -> None:
    # T65, T83: whatever a preset switches on
    site = site_of(name)
    sign = site.vendor.signing_key.sign

    def forged(header: Any, claims: Any) -> str:
        head, _, signature = sign(header, {**claims, "more": 1}).rpartition(".")
        _, payload, _ = sign(header, claims).split(".")
        return f"{head.partition('.')[0]}.{payload}.{signature}"

    site.vendor.signing_key.sign = forged
    site.log_in()
    assert (site.code, site.user) == ("id_token.signature", None)


# What presets deviate in: the issuer (many tenants), the nonce, the type of claims.
@pytest.mark.parametrize("name", WITH_ID_TOKEN)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "id_token.iss_mismatch"),
        ({"nonce": "n" * 43}, "id_token.nonce_mismatch"),
    ],
)
def test_no_preset_lets_a_tampered_token_pass(
    site_of: SiteOf, name: str, changes: dict[str, object], code: str
) -> None:
    # T33, T78, T80, T81, T82; pains 29
    site = site_of(name)
    site.vendor.id_token_claims = lambda claims: claims.update(changes)
    site.log_in()
    assert (site.code, site.user) == (code, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_code_that_the_provider_does_not_know_logs_nobody_in(
    site_of: SiteOf, name: str
) -> None:
    # T28; pains 50: some say so with status 200, and each in its own words
    site = site_of(name)
    response = site.log_in(code="another")
    assert site.code in ("token.refused", "token.error")
    assert (response.status_code, site.user) in ((403, None), (502, None))
