"""What living providers send, tried in whole logins: see cases/ and CONTRIBUTING.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.test import Client
from pytest_django import Settings

from oauth_login.errors import CODES
from oauth_login.models import Identity
from oauth_login.testing import FakeProvider, log_in, stand_in
from oauth_login.testing.faults.catalogue import FAULTS
from oauth_login.testing.faults.fault import Change, Fault, Place
from tests.conf.presets.conftest import Site, site_of  # noqa: F401 - a fixture
from tests.providers.corpus import KEYS, PLACES, Case, cases

pytestmark = pytest.mark.django_db

OURS = [case for case in cases() if "preset" not in case.document]
OF_PRESETS = [case for case in cases() if "preset" in case.document]
# What an attacker would do under the cover of a tolerance (T28, T33, T34, T64 to T83).
HOSTILE = (
    *("id_token.signature", "id_token.alg_not_allowed", "id_token.typ"),
    *("id_token.alg_not_allowed/public_key_as_secret", "id_token.key_not_found"),
    *("id_token.iss_mismatch", "id_token.aud_mismatch", "id_token.sub_invalid"),
    *("id_token.azp_mismatch/second_audience", "id_token.nonce_mismatch"),
    *("id_token.expired", "id_token.nbf_future", "id_token.at_hash_mismatch"),
    *("id_token.c_hash_mismatch", "callback.iss_mismatch"),
    *("discovery.issuer_mismatch", "token.refused"),
)


def named(some: list[Case]) -> Any:
    return pytest.mark.parametrize("case", some, ids=[case.name for case in some])


@named(list(cases()))
def test_a_case_says_what_it_is_and_how_it_must_end(case: Case) -> None:
    assert set(case.document) <= KEYS
    assert case.document["about"].endswith(".")
    assert case.outcome == "login" or case.outcome in CODES
    assert any(case.changes(place) for place in PLACES) or "lengths" in case.document


@named(OURS)
def test_a_login_ends_as_the_case_says(
    case: Case, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Client()
    with sending(case, settings) as provider:
        caplog.clear()
        response = log_in(browser, provider, next="/private/")
    assert run_checks(tags=["oauth_login"]) == []
    if case.outcome != "login":
        assert codes(caplog) == [case.outcome]
        assert not get_user_model().objects.exists()
        stays = case.document.get("stays_here", False)
        assert (provider.requests["authorize"] == 0) is stays
        return
    assert response["Location"] == "/private/"
    assert_user(case)


@named([case for case in OURS if case.outcome == "login"])
def test_no_tolerance_opens_a_door_to_tampered_input(
    case: Case, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    ended: dict[str, list[str]] = {}
    for name in HOSTILE:
        if name == "id_token.key_not_found" and not names_its_key(case):
            continue  # then every key is a candidate, and the signature decides
        with sending(case, settings) as provider, provider.fault(name):
            browser = Client()
            caplog.clear()
            log_in(browser, provider)
            assert "_auth_user_id" not in browser.session, name
            ended[name] = codes(caplog)
    assert not get_user_model().objects.exists()
    # Under a tolerance the cause may be another one, but it is one of the provider's.
    same = [n for n, codes in ended.items() if FAULTS[n].code in codes]
    assert len(same) >= len(ended) - 2, ended


def names_its_key(case: Case) -> bool:
    return bool(case.changed("header", {"kid": "key-1"}).get("kid"))


@named(OF_PRESETS)
def test_a_login_with_a_preset_ends_as_the_case_says(
    case: Case,
    site_of: Callable[..., Site],  # noqa: F811
) -> None:
    site = site_of(case.document["preset"], **case.settings)
    vendor = site.vendor
    vendor.callback = case.changed("callback", vendor.callback)
    vendor.token_response = case.changed("token", vendor.token_response)
    vendor.header = case.changed("header", vendor.header)
    vendor.userinfo = case.changed("userinfo", vendor.userinfo)
    vendor.keys = [case.changed("jwks", key) for key in vendor.keys]
    if vendor.discovery is not None:
        vendor.discovery = case.changed("discovery", vendor.discovery)

    def change(claims: dict[str, Any]) -> None:
        changed = case.changed("claims", claims)
        claims.clear()
        claims |= changed

    vendor.id_token_claims = change
    response = site.log_in()
    if case.outcome != "login":
        assert (site.code, site.user) == (case.outcome, None)
        return
    assert (site.code, response.status_code) == ("", 302)
    assert_user(case)


def codes(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The codes of the logins that failed."""
    found = (getattr(record, "oauth_login_code", "") for record in caplog.records)
    return [code for code in found if code]


def assert_user(case: Case) -> None:
    user, identity = get_user_model().objects.get(), Identity.objects.get()
    expected = {"issuer": identity.issuer, "subject": identity.subject}
    for name, value in case.document.get("identity", {}).items():
        assert expected[name] == value
    for name, value in case.document.get("user", {}).items():
        if name == "groups":
            assert sorted(group.name for group in user.groups.all()) == value
        else:
            assert getattr(user, name) == value


@contextmanager
def sending(case: Case, settings: Settings) -> Iterator[FakeProvider]:
    """A site with three values and the case's settings, and the case's provider."""
    for name in case.settings.get("GROUPS", {}).get("MAP", {}).values():
        Group.objects.get_or_create(name=name)
    entry = {**CORP, **case.settings}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    changes: dict[Place, Change] = {
        place: lambda document, place=place: case.changed(place, document)  # type: ignore[misc]
        for place in PLACES
        if place != "jwks"
    }
    changes["jwks"] = lambda document: {
        **document,
        "keys": [case.changed("jwks", key) for key in document["keys"]],
    }
    with ExitStack() as stack:
        provider = stack.enter_context(stand_in())
        if "alg" in case.document:
            kid = provider.key.kid
            provider.key = type(provider.key)(case.document["alg"], kid)
        provider.claims_in = case.document.get("claims_in", "both")
        lengthen(provider, case.document.get("lengths", {}), changes)
        provider.active_faults.add(Fault(code=None, changes=changes))
        yield provider


def lengthen(
    provider: FakeProvider, lengths: Mapping[str, int], changes: dict[Place, Change]
) -> None:
    """Make the code and the access token as long as the case says."""
    grants, long = provider.grants, lengths.get("access_token", 0)

    def long_code(params: dict[str, Any]) -> dict[str, Any]:
        code = params["code"].ljust(lengths["code"], "c")
        grants._of_code[code] = grants._of_code[params["code"]]
        return {**params, "code": code}

    def long_hash(claims: dict[str, Any]) -> dict[str, Any]:
        token = grants.access_tokens[-1].ljust(long, "t")
        return {**claims, "at_hash": provider.key.half_hash(token)}

    def long_token(document: dict[str, Any]) -> dict[str, Any]:
        token = document["access_token"].ljust(long, "t")
        grants._of_token[token] = grants._of_token[document["access_token"]]
        return {**document, "access_token": token}

    if "code" in lengths:
        changes["callback"] = long_code
    if long:
        changes |= {"claims": long_hash, "token": long_token}


CORP = {
    "ISSUER": "https://id.example.com",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "a-secret-of-the-suite-with-32-bytes!",
}
