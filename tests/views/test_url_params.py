"""What a link to our login may ask of the provider: what URL_PARAMS names, no more."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from oauth_login.protocol.request_parameters import PROTECTED
from oauth_login.testing import FakeProvider, log_in

pytestmark = pytest.mark.django_db

WISHES = (
    *("login_hint", "ui_locales", "prompt", "max_age", "acr_values"),
    *("claims_locales", "display", "domain_hint", "resource"),
)


@pytest.fixture(autouse=True)
def provider(oauth_provider: FakeProvider) -> FakeProvider:
    return oauth_provider


def configure(settings: Settings, **keys: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": {**entry, **keys}},
    }


def asked(client: Client, query: Any = "") -> dict[str, list[str]]:
    query = query if isinstance(query, str) else urlencode(query, doseq=True)
    response = client.get(f"/auth/corp/login/?{query}", secure=True)
    assert response.status_code == 302
    return parse_qs(urlsplit(response["Location"]).query, keep_blank_values=True)


USUAL = {
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
}


def test_by_default_a_link_can_ask_for_nothing(client: Client) -> None:
    # T17; pains 54
    assert asked(client, dict.fromkeys((*WISHES, "unknown"), "1")).keys() == USUAL


def test_what_is_named_is_passed_on(client: Client, settings: Settings) -> None:
    # pains 54
    configure(settings, URL_PARAMS=["login_hint", "ui_locales"])

    params = asked(
        client, {"login_hint": "ål ice", "ui_locales": "de fr", "prompt": "login"}
    )

    assert params.keys() == {*USUAL, "login_hint", "ui_locales"}
    assert params["login_hint"] == ["ål ice"]
    assert params["ui_locales"] == ["de fr"]


@pytest.mark.parametrize("name", sorted(PROTECTED))
def test_what_the_protocol_is_made_of_can_neither_be_named_nor_said(
    client: Client, settings: Settings, name: str
) -> None:
    # T17, T30; pains 54
    before = asked(client)
    settings_with_it = {"URL_PARAMS": [name]}
    configure(settings, **settings_with_it)
    response = client.get(f"/auth/corp/login/?{name}=mine", secure=True)
    assert response.status_code == 500
    assert b"config.invalid" in response.content  # oauth_login.E026

    configure(settings, URL_PARAMS=["login_hint"])
    after = asked(client, {name: "mine", "login_hint": "a"})

    assert after.pop("login_hint") == ["a"]
    changing = {"state", "nonce", "code_challenge"}
    assert {n: v for n, v in after.items() if n not in changing} == {
        n: v for n, v in before.items() if n not in changing
    }
    assert "mine" not in str(after)


@pytest.mark.parametrize("value", ["x" * 255, "a b", "ü", "&x=y", "<b>"])
def test_any_short_text_will_do(client: Client, settings: Settings, value: str) -> None:
    configure(settings, URL_PARAMS=["login_hint"])

    assert asked(client, {"login_hint": value})["login_hint"] == [value]


@pytest.mark.parametrize("value", ["x" * 256, "", "a\x00", "a\r\nb", "\x1b[0m", "\x85"])
def test_anything_else_is_left_out(
    client: Client, settings: Settings, value: str
) -> None:
    # T17
    configure(settings, URL_PARAMS=["login_hint"])

    assert asked(client, {"login_hint": value}).keys() == USUAL


def test_what_is_said_twice_is_left_out(client: Client, settings: Settings) -> None:
    # T40
    configure(settings, URL_PARAMS=["login_hint", "ui_locales"])

    params = asked(client, {"login_hint": ["a", "b"], "ui_locales": "de"})

    assert params.keys() == {*USUAL, "ui_locales"}


def test_what_the_settings_say_stays(client: Client, settings: Settings) -> None:
    # T17; pains 54
    configure(
        settings,
        AUTH_PARAMS={
            "prompt": "login",
            "domain_hint": "corp.test",
            "resource": ["https://a.test", "urn:b"],
        },
        URL_PARAMS=["prompt", "domain_hint", "login_hint"],
    )

    params = asked(
        client,
        {
            "prompt": "consent",
            "domain_hint": "evil.test",
            "resource": "x",
            "login_hint": "a",
        },
    )

    assert params["prompt"] == ["login"]
    assert params["domain_hint"] == ["corp.test"]
    assert params["resource"] == ["https://a.test", "urn:b"]
    assert params["login_hint"] == ["a"]


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("login", True),
        ("consent", True),
        ("select_account", True),
        ("create", True),
        ("login consent", True),
        ("none", False),
        ("login none", False),
        ("none login", False),
        ("NONE", False),
        (" ", False),
        ("anything", False),
    ],
)
def test_a_silent_login_cannot_be_wished_for(
    client: Client, settings: Settings, prompt: str, kept: bool
) -> None:
    # T17, T26; pains 54
    configure(settings, URL_PARAMS=["prompt"])

    assert ("prompt" in asked(client, {"prompt": prompt})) is kept


@pytest.mark.parametrize(
    ("configured", "wished", "sent"),
    [
        (None, "60", ["60"]),
        (None, "0", ["0"]),
        (None, "9999999", ["9999999"]),
        (None, "10000000", None),
        (None, "-1", None),
        (None, "1.5", None),
        (None, "٣", None),
        (300, "300", ["300"]),
        (300, "299", ["299"]),
        (300, "301", ["300"]),
        (300, "", ["300"]),
        (0, "1", ["0"]),
    ],
)
def test_max_age_can_only_get_stricter(
    client: Client,
    settings: Settings,
    configured: int | None,
    wished: str,
    sent: list[str] | None,
) -> None:
    # T17, T27
    configure(settings, URL_PARAMS=["max_age"], MAX_AGE=configured)

    assert asked(client, {"max_age": wished}).get("max_age") == sent


@pytest.mark.parametrize(
    ("configured", "wished", "sent"),
    [
        ([], "gold", ["gold"]),
        ([], " ", None),
        (["gold", "silver"], "silver", ["silver"]),
        (["gold", "silver"], "silver gold", ["silver gold"]),
        (["gold", "silver"], "bronze", ["gold silver"]),
        (["gold", "silver"], "gold bronze", ["gold silver"]),
        (["gold"], "", ["gold"]),
    ],
)
def test_acr_values_can_only_be_chosen_among_ours(
    client: Client,
    settings: Settings,
    configured: list[str],
    wished: str,
    sent: list[str] | None,
) -> None:
    # T17, T27
    configure(settings, URL_PARAMS=["acr_values"], ACR_VALUES=configured)

    assert asked(client, {"acr_values": wished}).get("acr_values") == sent


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("id_token.auth_time_too_old", b"id_token.auth_time_too_old"),
        ("id_token.auth_time_invalid/missing", b"id_token.auth_time_invalid"),
        ("id_token.auth_time_invalid/future", b"id_token.auth_time_invalid"),
        ("id_token.acr_mismatch", b"id_token.acr_mismatch"),
        ("id_token.acr_mismatch/missing", b"id_token.acr_mismatch"),
    ],
)
def test_what_a_link_asked_for_is_enforced_in_what_comes_back(
    client: Client, settings: Settings, provider: FakeProvider, fault: str, code: bytes
) -> None:
    # T27; pains 54
    configure(settings, URL_PARAMS=["max_age", "acr_values"])
    url = client.get("/auth/corp/login/?max_age=60&acr_values=gold", secure=True)

    with provider.fault(fault):
        response = client.get(provider.authorize(url["Location"]), secure=True)

    assert response.status_code == 502
    assert code in response.content
    assert "_auth_user_id" not in client.session


def test_whoever_takes_the_wish_out_on_the_way_gains_nothing(
    client: Client, settings: Settings, provider: FakeProvider
) -> None:
    # T27: the browser is not trusted to ask
    configure(settings, MAX_AGE=60, ACR_VALUES=["gold"])
    provider.acr, provider.authenticated_at = "bronze", provider.now() - 7200
    url = client.get("/auth/corp/login/", secure=True)["Location"]
    assert "max_age=60" in url
    assert "acr_values=gold" in url

    for removed, code in [
        ("&max_age=60", b"auth_time_too_old"),
        ("&acr_values=gold", b"acr_mismatch"),
    ]:
        url = client.get("/auth/corp/login/", secure=True)["Location"]
        callback = provider.authorize(url.replace(removed, ""))
        response = client.get(callback, secure=True)
        assert response.status_code == 502
        assert code in response.content


@pytest.mark.parametrize(("age", "status"), [(119, 302), (123, 502)])
def test_the_age_counts_from_when_we_asked(
    client: Client, settings: Settings, provider: FakeProvider, age: int, status: int
) -> None:
    # T27: a minute is allowed, and a minute of leeway
    configure(settings, MAX_AGE=60)
    provider.authenticated_at = provider.now() - age
    url = client.get("/auth/corp/login/", secure=True)["Location"]

    callback = provider.authorize(url.replace("&max_age=60", ""))

    assert client.get(callback, secure=True).status_code == status


def test_whoever_is_signed_in_goes_there_again_for_a_wish(
    client: Client, settings: Settings, provider: FakeProvider
) -> None:
    # T27: a step up
    configure(settings, URL_PARAMS=["max_age"])
    log_in(client, provider)
    assert client.get("/auth/corp/login/", secure=True)["Location"] == "/home/"

    assert asked(client, {"max_age": "0"})["max_age"] == ["0"]


def test_another_sites_link_wishes_for_nothing(
    client: Client, settings: Settings
) -> None:
    # T02, T17
    configure(settings, URL_PARAMS=["login_hint"])

    response = client.get(
        "/auth/corp/login/?login_hint=eve",
        secure=True,
        headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    )

    assert response["Location"] == "/auth/login/"


def test_state_and_nonce_fit_every_provider(client: Client) -> None:
    # pains 60: some want 22 characters or more, some no more than 255, none a colon
    params = asked(client, {"next": "/" + "a" * 500})

    assert 64 <= len(params["state"][0]) <= 255
    assert set(params["state"][0]) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-"
    )
    assert len(params["nonce"][0]) == 43
    assert params["nonce"][0].replace("-", "").replace("_", "").isalnum()
