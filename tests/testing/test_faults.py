"""Every fault of the test kit ends a login with the code that it promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.errors import CODES
from oauth_login.models import LoginEvent
from oauth_login.registry import get_provider
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.catalogue import ALIASES, FAULTS, find_fault
from tests.our_keys import EC_KEY

pytestmark = pytest.mark.django_db

STATUS = {
    "config": 500,
    "transport": 503,
    "callback": 400,
    "authorization": 403,
    "discovery": 502,
    "jwks": 502,
    "token": 502,
    "id_token": 502,
    "userinfo": 502,
}
EXCEPTIONS = {
    "authorization.unavailable": 503,
    "token.refused": 403,
    **{f"{name}.status": 503 for name in ("discovery", "jwks", "token", "userinfo")},
}
# What only a provider that encrypts can get wrong.
OF_ENCRYPTION = {
    "not_encrypted",
    "encryption_alg",
    "compressed",
    "not_decrypted",
    "not_signed",
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if fault.code is not None]
)
def test_a_fault_ends_the_login_with_its_code(
    name: str,
    debug: bool,
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
) -> None:
    # T27 T28 T33 T34 T35 T37 T39 T42 T43 T48 T51 T52 T53 T60 T61 T64 T72 T73 T74 T75
    # T77 T78 T80 T81 T82 T87 T122; pains 6, 50
    settings.DEBUG = debug
    ask_for_everything(settings)
    if name.partition(".")[2] in OF_ENCRYPTION:
        ask_for_encryption(settings, oauth_provider)
    with oauth_provider.fault(name) as fault:
        response = oauth_log_in(client, next="/private/")

    assert fault.code is not None
    assert fault.code in CODES
    assert response.status_code == EXCEPTIONS.get(
        fault.code, STATUS[fault.code.partition(".")[0]]
    )
    # No user is logged in, and no user was created.
    assert "_auth_user_id" not in client.session
    assert not get_user_model().objects.exists()
    # One record says what happened; the page has its reference, and nothing else.
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == fault.code
    page = response.content.decode()
    assert record.oauth_login_reference in page
    assert "evil.example.com" not in page
    assert "Traceback" not in page
    assert_nothing_secret(caplog.text, oauth_provider)


def ask_for_everything(settings: Settings) -> None:
    """So that whatever a provider can get wrong was asked for."""
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    asking = {**entry, "MAX_AGE": 3600, "ACR_VALUES": ["gold", "silver"]}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "PROVIDERS": {"corp": asking}}


def ask_for_encryption(settings: Settings, provider: FakeProvider) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    asking = {**entry, "DECRYPTION_KEYS": [EC_KEY]}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "PROVIDERS": {"corp": asking}}
    (key,) = get_provider("corp").client.decryption_keys
    provider.encrypts_to = key.public_jwk()


def test_encryption_that_is_asked_for_is_given(
    client: Client,
    oauth_log_in: Callable[..., Any],
    oauth_provider: FakeProvider,
    settings: Settings,
) -> None:
    ask_for_encryption(settings, oauth_provider)

    assert oauth_log_in(client)["Location"] == "/home/"


def test_what_is_asked_for_is_given(
    client: Client, oauth_log_in: Callable[..., Any], settings: Settings
) -> None:
    ask_for_everything(settings)

    assert oauth_log_in(client)["Location"] == "/home/"


def test_after_a_fault_a_login_succeeds(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: Callable[..., Any]
) -> None:
    with oauth_provider.fault("id_token.nonce_mismatch"):
        oauth_log_in(client)

    assert oauth_log_in(client)["Location"] == "/home/"


@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if fault.code is None]
)
def test_some_faults_do_not_keep_anybody_out(
    name: str,
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: Callable[..., Any],
) -> None:
    # T86; pains 11, 14
    oauth_log_in(Client())

    with oauth_provider.fault(name):
        response = oauth_log_in(client)

    assert response["Location"] == "/home/"


def test_a_fault_before_the_redirect_leaves_the_browser_here(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with oauth_provider.fault("discovery.issuer_mismatch"):
        response = oauth_log_in(client)

    assert response.status_code == 502
    assert oauth_provider.requests["authorize"] == 0  # T37
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "discovery.issuer_mismatch"
    # No person and no attempt: a record, and no row.
    assert not LoginEvent.objects.exists()


# Codes that a provider causes; what is not among them is ours, or the browser's.
THEIRS = ("transport", "discovery", "jwks", "authorization", "token", "id_token")
WITHOUT_FAULT = {
    "transport.tls",  # the kit speaks http, or no HTTP at all
    "discovery.recently_failed",  # the second login after discovery.status
    "discovery.fetch_pending",  # two logins at once, and a slow provider
    # Whatever answers at such an address, no request is sent there.
    "discovery.internal_host",
    "discovery.forbidden_address",
    # The kit's userinfo says nothing of when it ends.
    "userinfo.exp_invalid",
    "userinfo.expired",
}


def test_there_is_a_fault_for_every_code_that_a_provider_can_cause() -> None:
    caused = {code for code in CODES if code.startswith((*THEIRS, "userinfo"))}

    assert caused - FAULTS.keys() == WITHOUT_FAULT


def test_a_fault_is_named_after_its_code() -> None:
    assert {
        n for n, f in FAULTS.items() if f.code not in (None, n.partition("/")[0])
    } == set()
    assert {n for n, f in FAULTS.items() if f.code is None and "/" in n} == set()


def test_unknown_faults_are_refused_with_a_suggestion() -> None:
    with pytest.raises(LookupError, match=r"did you mean 'wrong_nonce'"):
        find_fault("wrong_nonse")


def test_short_names_lead_to_faults() -> None:
    assert {find_fault(alias) is FAULTS[name] for alias, name in ALIASES.items()} == {
        True
    }


def assert_nothing_secret(log: str, provider: FakeProvider) -> None:
    assert provider.client_secret not in log
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20,}", log)  # a token
    assert not re.search(r"code=[A-Za-z0-9_-]{30,}|code_verifier", log)
