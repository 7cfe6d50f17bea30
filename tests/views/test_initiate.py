"""initiate: a login that the provider, or a portal, begins (OpenID Connect Core 4)."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity, LoginEvent
from oauth_login.testing import FakeProvider, initiate_login, log_in
from oauth_login.testing.login import FORM, FROM_ANOTHER_SITE

pytestmark = pytest.mark.django_db

INITIATE = "/auth/corp/initiate/"
ISSUER = "https://id.example.com"
AUTHORIZE = f"{ISSUER}/authorize?"
# Of a page that sends people here by itself, and of a user's click on a link.
BY_ITSELF = {**FROM_ANOTHER_SITE, "Sec-Fetch-Dest": "document"}
CLICKED = {**BY_ITSELF, "Sec-Fetch-User": "?1"}


@pytest.fixture(autouse=True)
def initiated(settings: Settings) -> None:
    configure(settings, INITIATE_LOGIN=True)


def configure(settings: Settings, site: Any = None, /, **keys: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        **(site or {}),
        "PROVIDERS": {"corp": {**entry, **keys}},
    }


def get(
    client: Client, query: Any = None, headers: dict[str, str] | None = None
) -> Any:
    if not isinstance(query, str):
        query = urlencode(query if query is not None else {"iss": ISSUER})
    return client.get(f"{INITIATE}?{query}", secure=True, headers=headers or {})


def sent(response: Any) -> dict[str, list[str]]:
    """The parameters with which the browser goes to the provider."""
    assert response.status_code == 302
    assert response["Location"].startswith(AUTHORIZE)
    return parse_qs(urlsplit(response["Location"]).query)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("mode", [None, "form_post"])
def test_a_login_that_the_provider_begins_is_a_login(
    client: Client,
    oauth_provider: FakeProvider,
    settings: Settings,
    method: Literal["GET", "POST"],
    mode: str | None,
) -> None:
    configure(settings, RESPONSE_MODE=mode)

    response = initiate_login(
        client,
        oauth_provider,
        method=method,
        person="bob",
        target_link_uri="https://testserver/private/?a=1",
    )

    assert response["Location"] == "/private/?a=1"
    assert client.get("/private/").status_code == 200
    assert Identity.objects.get().subject == "bob-0001"


def test_it_is_off_where_nobody_turned_it_on(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T25
    configure(settings, INITIATE_LOGIN=False)

    assert get(client).status_code == 404
    assert client.post(INITIATE, {"iss": ISSUER}, secure=True).status_code == 404
    assert client.get("/auth/other/initiate/", secure=True).status_code == 404
    assert not oauth_provider.requests


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_allowed(client: Client, method: str) -> None:
    assert getattr(client, method)(INITIATE, secure=True).status_code == 405


def test_the_attempt_is_as_strong_as_any_other(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T01, T25, T28: state, nonce and challenge of this browser's own session
    ours = parse_qs(
        urlsplit(client.get("/auth/corp/login/", secure=True)["Location"]).query
    )

    theirs = sent(get(client))

    assert theirs.keys() == ours.keys()
    for name in ("state", "nonce", "code_challenge"):
        assert theirs[name] != ours[name]
    assert len(client.session["_oauth_login_pending"]) == 2


def test_a_login_begun_elsewhere_cannot_be_finished_here(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T01, T25
    theirs = oauth_provider.authorize(get(Client())["Location"], "bob")

    response = client.get(theirs, secure=True)

    assert response.status_code == 200
    assert oauth_provider.requests["token"] == 0
    assert not get_user_model().objects.exists()


# --- who may begin


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"iss": ""},
        {"iss": "https://evil.example.com"},
        {"iss": ISSUER + "/"},
        {"iss": ISSUER.upper()},
        {"iss": "http://id.example.com"},
        {"iss": ISSUER + "#"},
        {"iss": " " + ISSUER},
        {"iss": "https://id.example.com@evil.example.com"},
        {"iss": "x" * 5000},
        {"login_hint": "alice"},
    ],
)
def test_only_the_provider_itself_may_be_named(
    client: Client,
    oauth_provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    query: dict[str, str],
) -> None:
    # T25
    response = get(client, query, CLICKED)

    assert response.status_code == 400
    assert b"callback.wrong_initiator" in response.content
    assert b"evil" not in response.content
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_provider == "corp"
    assert record.oauth_login_detail == {
        "expected": ISSUER,
        "received": query.get("iss", "")[:200],
    }
    # An outsider fills neither sessions nor the table of events.
    assert not Session.objects.exists()
    assert not LoginEvent.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        f"iss={ISSUER}&iss={ISSUER}",
        f"iss={ISSUER}&iss=https://evil.example.com",
        f"iss=https://evil.example.com&iss={ISSUER}",
        f"iss={ISSUER}&login_hint=a&login_hint=b",
        f"iss={ISSUER}&target_link_uri=/a&target_link_uri=/b",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_parameter_that_is_there_twice_is_refused(
    client: Client, oauth_provider: FakeProvider, query: str, method: str
) -> None:
    # T40
    if method == "post":
        query = urlsplit(post(client, query)["Location"]).query
    response = get(client, query, CLICKED)

    assert response.status_code == 400
    assert b"callback.duplicate_parameter" in response.content
    assert not Session.objects.exists()


def test_what_is_not_of_the_standard_is_left_out(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T17
    query = {
        "iss": ISSUER,
        "scope": "openid admin",
        "prompt": "none",
        "acr_values": "low",
        "max_age": "99999",
        "redirect_uri": "https://evil.example.com/",
        "state": "mine",
        "next": "//evil.example.com",
        "switch": "1",
    }

    params = sent(get(client, query))

    assert not {"prompt", "acr_values", "max_age", "login_hint"} & params.keys()
    assert params["scope"] == ["openid profile email"]
    assert params["redirect_uri"] == ["https://testserver/auth/corp/callback/"]
    assert params["state"] != ["mine"]


def test_a_provider_that_cannot_be_had_is_a_page_of_ours(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T129
    with oauth_provider.fault("discovery.status"):
        response = get(client)

    assert response.status_code == 503
    assert b"discovery.status" in response.content
    assert b"Try again with Corp SSO" in response.content
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert (record.oauth_login_code, record.oauth_login_provider) == (
        "discovery.status",
        "corp",
    )


def test_another_issuer_in_its_metadata_stops_it_here(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T37
    with oauth_provider.fault("discovery.issuer_mismatch"):
        response = get(client)

    assert response.status_code == 502
    assert b"discovery.issuer_mismatch" in response.content


# --- where it leads


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("https://testserver/private/", "/private/"),
        ("https://testserver/private/?a=1&b=2#c", "/private/?a=1&b=2#c"),
        ("/private/", "/private/"),
        ("https://testserver/", "/"),
        ("https://testserver/" + "a" * 2047, "/" + "a" * 2047),
    ],
)
def test_a_login_leads_to_a_page_of_this_site(
    client: Client, oauth_provider: FakeProvider, uri: str, path: str
) -> None:
    response = initiate_login(client, oauth_provider, target_link_uri=uri)

    assert response["Location"] == path


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://testserver",
        "https://evil.example/private/",
        "https://testserver.evil.example/private/",
        "https://testserver@evil.example/private/",
        "https://evil.example/https://testserver/private/",
        "http://testserver/private/",
        "https://testserver:8443/private/",
        "https://testserver:443/private/",
        "//testserver/private/",
        "//evil.example/",
        "https://testserver//evil.example/",
        "https://testserver/\\evil.example/",
        "https://testserver\\@evil.example/",
        "https:/testserver/private/",
        "javascript:alert(1)",
        "private/",
        # Our own pages: no redirect leads there, and no logout.
        "https://testserver/auth/login/",
        "https://testserver/auth/logout/",
        "https://testserver/auth/corp/login/",
        "https://testserver/auth/corp/initiate/?iss=https://id.example.com",
        "https://testserver/auth/corp/callback/?code=x",
        "https://testserver/admin/logout/",
        "https://testserver/" + "a" * 2048,
        "https://testserver/a\r\nb",
        "https://testserver/a b",
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_and_nowhere_else(
    client: Client, oauth_provider: FakeProvider, uri: str, signed_in: bool
) -> None:
    # T15, T16, T25
    if signed_in:
        log_in(client, oauth_provider)

    response = initiate_login(client, oauth_provider, target_link_uri=uri)

    assert response["Location"] == "/home/"


def test_base_url_says_which_site_this_is(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T22, T25
    configure(settings, {"BASE_URL": "https://www.example.com"})

    for uri, path in [
        ("https://www.example.com/private/", "/private/"),
        ("https://testserver/private/", "/home/"),
        ("https://www.example.com.evil.example/private/", "/home/"),
    ]:
        response = initiate_login(Client(), oauth_provider, target_link_uri=uri)
        assert response["Location"] == path


# --- login_hint


@pytest.mark.parametrize(
    "hint", ["alice", "ålice@example.test", "a b", "x" * 255, "<b>", "&scope=x"]
)
def test_a_hint_is_passed_on(
    client: Client, oauth_provider: FakeProvider, hint: str
) -> None:
    assert sent(get(client, {"iss": ISSUER, "login_hint": hint}))["login_hint"] == [
        hint
    ]


@pytest.mark.parametrize("hint", ["", "x" * 256, "a\x00b", "a\nb", "a\x7f", "a\x85"])
def test_a_hint_that_is_none_is_left_out(
    client: Client, oauth_provider: FakeProvider, hint: str
) -> None:
    # T25
    assert "login_hint" not in sent(get(client, {"iss": ISSUER, "login_hint": hint}))


def test_a_hint_of_the_settings_stays(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T17
    configure(settings, AUTH_PARAMS={"login_hint": "ours"})

    assert sent(get(client, {"iss": ISSUER, "login_hint": "theirs"}))["login_hint"] == [
        "ours"
    ]


# --- whose doing it is


def test_a_page_that_sends_people_by_itself_gets_them_to_the_login_page(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T02, T25: no user is logged in anywhere without a click
    query = {"iss": ISSUER, "target_link_uri": "https://testserver/private/"}

    response = get(client, query, BY_ITSELF)

    assert response["Location"] == "/auth/login/?next=%2Fprivate%2F"
    assert not Session.objects.exists()
    assert oauth_provider.requests["authorize"] == 0


def test_with_auto_redirect_no_click_is_needed(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T25
    configure(settings, {"AUTO_REDIRECT": True})

    sent(get(client, headers=BY_ITSELF))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        CLICKED,
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_click_an_address_bar_and_an_old_browser_begin(
    client: Client, oauth_provider: FakeProvider, headers: dict[str, str]
) -> None:
    sent(get(client, headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
def test_a_prefetch_begins_nothing(
    client: Client, oauth_provider: FakeProvider, headers: dict[str, str]
) -> None:
    # T02
    assert get(client, headers=headers).status_code == 204
    assert client.head(f"{INITIATE}?iss={ISSUER}", secure=True).status_code == 204
    assert not Session.objects.exists()
    assert not oauth_provider.requests


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"X-Requested-With": "XMLHttpRequest"},
    ],
)
def test_a_frame_an_image_and_a_script_begin_nothing(
    client: Client, oauth_provider: FakeProvider, headers: dict[str, str]
) -> None:
    # T02, T13, T25; OpenID Connect Core 4: frame busting
    response = get(client, headers={**FROM_ANOTHER_SITE, **headers})

    assert response.status_code == 401
    assert not Session.objects.exists()
    assert not oauth_provider.requests


def test_whoever_is_signed_in_goes_where_they_were_sent(
    client: Client, oauth_provider: FakeProvider
) -> None:
    log_in(client, oauth_provider)
    oauth_provider.requests.clear()

    response = initiate_login(
        client, oauth_provider, target_link_uri="https://testserver/private/"
    )

    assert response["Location"] == "/private/"
    assert not oauth_provider.requests


def test_whoever_is_signed_in_in_another_way_is_sent_to_the_provider(
    client: Client, oauth_provider: FakeProvider
) -> None:
    model = get_user_model()
    local = model(**{model.USERNAME_FIELD: "local@example.test"})
    local.save()
    client.force_login(local, "django.contrib.auth.backends.ModelBackend")

    sent(get(client))


# --- a form, and strict cookies


def post(client: Client, body: Any, url: str = INITIATE, kind: str = FORM) -> Any:
    body = body if isinstance(body, str) else urlencode(body)
    return client.post(
        url, body, content_type=kind, secure=True, headers=FROM_ANOTHER_SITE
    )


def test_a_form_only_leads_to_the_same_as_a_get(
    oauth_provider: FakeProvider,
) -> None:
    # T12, T25
    fields = {"iss": ISSUER, "login_hint": "a", "target_link_uri": "/private/"}
    client = Client(enforce_csrf_checks=True)

    response = post(client, {**fields, "next": "//evil.example", "prompt": "none"})

    assert response.status_code == 303
    url = urlsplit(response["Location"])
    assert (url.scheme, url.netloc, url.path) == ("", "", INITIATE)
    assert dict(parse_qsl(url.query)) == fields
    assert "sessionid" not in response.cookies
    assert not oauth_provider.requests


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "application/json"},
        {"kind": "multipart/form-data; boundary=x"},
        {"url": f"{INITIATE}?iss={ISSUER}"},
        {"body": {"iss": "x" * 2049}},
        {"body": {"iss": ISSUER, "target_link_uri": "/" + "x" * 2048}},
    ],
)
def test_a_form_that_is_none_is_refused(client: Client, broken: dict[str, Any]) -> None:
    # T40
    response = post(client, **{"body": {"iss": ISSUER}, **broken})

    assert response.status_code == 400
    assert b"callback.malformed" in response.content


def test_with_a_strict_cookie_a_step_of_our_own_finds_the_session(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T12: or else a signed-in user would get a second session, and lose the first
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    log_in(client, oauth_provider)
    query = {"iss": ISSUER, "target_link_uri": "/private/", "x": "y"}

    hop = get(Client(), query, CLICKED)

    assert hop.status_code == 200
    assert "sessionid" not in hop.cookies
    again = urlencode({"iss": ISSUER, "target_link_uri": "/private/", "hop": "1"})
    assert f"{INITIATE}?{again}".replace("&", "&amp;").encode() in hop.content
    same_origin = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    assert get(client, again, same_origin)["Location"] == "/private/"


@pytest.mark.parametrize(
    ("samesite", "headers", "hop"),
    [
        ("Strict", BY_ITSELF, ""),
        ("Strict", CLICKED, "&hop=1"),
        ("Lax", CLICKED, ""),
        ("Strict", {}, ""),
    ],
)
def test_there_is_one_step_at_most_and_only_for_a_click(
    client: Client,
    oauth_provider: FakeProvider,
    settings: Settings,
    samesite: str,
    headers: dict[str, str],
    hop: str,
) -> None:
    settings.SESSION_COOKIE_SAMESITE = samesite

    assert get(client, f"iss={ISSUER}{hop}", headers).status_code == 302
