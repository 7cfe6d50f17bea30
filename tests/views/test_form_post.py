"""response_mode=form_post: the answer is posted by another site, without our cookies.

OAuth 2.0 Form Post Response Mode. T12; pains 21.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider, follow, log_in
from oauth_login.testing.login import FORM, FROM_ANOTHER_SITE

pytestmark = pytest.mark.django_db

CALLBACK = "/auth/corp/callback/"


@pytest.fixture(autouse=True)
def form_post(settings: Settings) -> None:
    configure(settings, RESPONSE_MODE="form_post")


def configure(settings: Settings, **keys: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": {**entry, **keys}},
    }


def post(
    client: Client, fields: Any, url: str = CALLBACK, content_type: str = FORM
) -> Any:
    """As a browser does on another site's behalf, with or without cookies."""
    body = fields if isinstance(fields, str) else urlencode(fields)
    return client.post(
        url, body, content_type=content_type, secure=True, headers=FROM_ANOTHER_SITE
    )


def carried(response: Any) -> list[tuple[str, str]]:
    """What the browser brings along to the same path."""
    assert response.status_code == 303
    parts = urlsplit(response["Location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", CALLBACK)
    return parse_qsl(parts.query)


def begin(client: Client, next: str = "/private/") -> str:  # noqa: A002
    response = client.get("/auth/corp/login/", {"next": next}, secure=True)
    return str(response["Location"])


GOOD = {"code": "the-code", "state": "the-state"}


def test_the_provider_is_asked_for_a_form(
    client: Client, oauth_provider: FakeProvider
) -> None:
    query = parse_qs(urlsplit(begin(client)).query)

    assert query["response_mode"] == ["form_post"]


@pytest.mark.parametrize("samesite", ["Lax", "Strict", "None", None, False])
def test_a_login_needs_nothing_of_the_sites_cookies(
    client: Client, oauth_provider: FakeProvider, settings: Settings, samesite: Any
) -> None:
    # T12; pains 21
    settings.SESSION_COOKIE_SAMESITE = samesite

    response = log_in(client, oauth_provider, next="/private/")

    if samesite == "Strict":  # with a step of our own, which has the cookie
        assert response.status_code == 200
        assert b'content="0; url=/private/"' in response.content
    else:
        assert response["Location"] == "/private/"
    assert client.get("/private/").status_code == 200


def test_with_a_strict_cookie_a_step_of_our_own_fetches_it(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T12: the redirect is still the other site's doing, so the cookie stays at home.
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    callback = oauth_provider.authorize(begin(client))
    posted = post(Client(), callback.form)

    hop = Client().get(posted["Location"], secure=True)

    assert hop.status_code == 200
    assert "sessionid" not in hop.cookies
    assert oauth_provider.requests["token"] == 0
    query = urlencode([*carried(posted), ("hop", "1")])
    assert f"{CALLBACK}?{query}".replace("&", "&amp;").encode() in hop.content
    done = client.get(f"{CALLBACK}?{query}", secure=True)
    assert b'content="0; url=/private/"' in done.content
    assert "_auth_user_id" in client.session


def test_the_form_itself_does_nothing(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T12: neither with a user's cookies nor without
    callback = oauth_provider.authorize(begin(client))
    before = dict(client.session)

    for browser in (client, Client()):
        response = post(browser, callback.form)
        assert carried(response) == list(callback.form or ())
        assert "sessionid" not in response.cookies
        assert response.content == b""
        assert "no-store" in response["Cache-Control"]

    assert dict(client.session) == before
    assert Session.objects.count() == 1
    assert oauth_provider.requests["token"] == 0
    assert not get_user_model().objects.exists()
    assert not LoginEvent.objects.exists()


def test_a_form_from_somebody_else_logs_nobody_in(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T01, T03
    theirs = oauth_provider.authorize(begin(Client()), "bob")

    response = follow(client, theirs)

    # Our login page; the other one's code is left alone.
    assert response.status_code == 200
    assert b"Continue with Corp SSO" in response.content
    assert oauth_provider.requests["token"] == 0
    assert "_auth_user_id" not in client.session


def test_a_code_that_nobody_asked_for_is_refused(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T03
    response = client.get(post(client, GOOD)["Location"], secure=True)

    assert response.status_code == 400
    assert b"callback.state_unknown" in response.content
    assert oauth_provider.requests["token"] == 0


def test_no_token_of_ours_is_needed_to_post_it(oauth_provider: FakeProvider) -> None:
    client = Client(enforce_csrf_checks=True)

    assert log_in(client, oauth_provider, next="/private/")["Location"] == "/private/"


def test_nothing_but_the_response_is_carried_along(client: Client) -> None:
    # T12
    fields = {
        **GOOD,
        "iss": "https://id.example.com",
        "next": "//evil.example",
        "hop": "1",
        "session_state": "x",
        "scope": "openid",
        "client_id": "site",
        "user": "{}",
        "csrfmiddlewaretoken": "x",
        "error_uri": "https://evil.example",
    }

    response = post(client, fields)

    assert dict(carried(response)) == {**GOOD, "iss": "https://id.example.com"}


def test_an_error_is_carried_along_with_what_it_says(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T39: for the log alone, as in the other mode
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    said = "AADSTS50105: not assigned to a role " + "x" * 1000
    fields = {"error": "access_denied", "error_description": said, "state": state}

    posted = post(client, fields)
    response = client.get(posted["Location"], secure=True)

    assert dict(carried(posted))["error_description"] == said[:255]
    assert response.status_code == 403
    assert b"AADSTS50105" not in response.content
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "authorization.refused"
    assert "AADSTS50105" in record.getMessage()


def test_the_answer_may_come_as_a_get_too(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # A provider that ignores what it was asked for; our own redirect looks the same.
    callback = oauth_provider.authorize(begin(client))

    response = client.get(callback, dict(callback.form or ()), secure=True)

    assert response["Location"] == "/private/"


@pytest.mark.parametrize("mode", [None, "query"])
def test_where_no_form_is_asked_for_none_is_taken(
    client: Client, settings: Settings, mode: str | None
) -> None:
    # T12
    configure(settings, RESPONSE_MODE=mode)

    response = post(client, GOOD)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"


def assert_refused(
    response: Any, code: str, caplog: pytest.LogCaptureFixture
) -> dict[str, Any]:
    assert response.status_code == 400
    assert code.encode() in response.content
    assert "sessionid" not in response.cookies
    assert not LoginEvent.objects.exists()
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == code
    assert record.oauth_login_provider == "corp"
    assert "the-code" not in caplog.text
    detail: dict[str, Any] = record.oauth_login_detail
    return detail


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x=1", "callback.state_missing"),
        ("code=the-code", "callback.state_missing"),
        ("code=the-code&state=", "callback.state_missing"),
        ("state=the-state", "callback.malformed"),
        ("code=the-code&error=x&state=the-state", "callback.malformed"),
        ("code=the-code&state=" + "s" * 256, "callback.malformed"),
        ("code=the-code&state=a%00b", "callback.malformed"),
        ("code=" + "c" * 8193 + "&state=s", "callback.malformed"),
        ("code=the-code%ff&state=s", "callback.malformed"),
        # T40
        ("code=a&code=the-code&state=s", "callback.duplicate_parameter"),
        ("code=the-code&state=a&state=b", "callback.duplicate_parameter"),
        ("code=the-code&state=s&iss=a&iss=b", "callback.duplicate_parameter"),
        ("error=a&error=b&state=s", "callback.duplicate_parameter"),
        ("code=the-code&state=s&user=a&user=b", "callback.duplicate_parameter"),
        # T42
        ("code=the-code&state=s&id_token=x", "callback.token_in_response"),
        ("state=s&access_token=x", "callback.token_in_response"),
        # Longer than any issuer or error is, and not for an address.
        ("code=the-code&state=s&iss=" + "i" * 2049, "callback.malformed"),
        ("state=s&error=" + "e" * 2049, "callback.malformed"),
    ],
)
def test_a_malformed_form_goes_nowhere(
    client: Client, caplog: pytest.LogCaptureFixture, body: str, code: str
) -> None:
    # T12, T40, T41, T42; pains 50
    assert_refused(post(client, body), code, caplog)


@pytest.mark.parametrize(
    "field",
    [
        {"code": "c" * 8192},
        {"state": "s" * 255},
        {"iss": "i" * 2048},
        {"code": " ~"},
    ],
)
def test_up_to_its_limit_a_field_is_carried(
    client: Client, field: dict[str, str]
) -> None:
    fields = {**GOOD, **field}

    assert dict(carried(post(client, fields))) == fields


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=x",
        "application/json",
        "text/plain",
        "application/x-www-form-urlencodedx",
        "",
    ],
)
def test_a_form_of_another_kind_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, content_type: str
) -> None:
    response = post(client, GOOD, content_type=content_type)

    assert_refused(response, "callback.malformed", caplog)


def test_a_character_set_may_be_named(client: Client) -> None:
    response = post(client, GOOD, content_type=f"{FORM}; charset=utf-8")

    assert dict(carried(response)) == GOOD


@pytest.mark.parametrize("query", ["code=another", "x=1", "state=", "hop=1"])
def test_a_query_beside_the_form_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    # T40
    response = post(client, GOOD, url=f"{CALLBACK}?{query}")

    assert_refused(response, "callback.malformed", caplog)


def test_too_many_fields_are_refused(
    client: Client, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    many = {**GOOD, **{f"x{n}": "" for n in range(8)}}
    assert dict(carried(post(client, many))) == GOOD

    response = post(client, {**many, "y": ""})

    detail = assert_refused(response, "callback.malformed", caplog)
    assert detail["received"] == "TooManyFieldsSent"


def test_a_form_that_is_too_large_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = urlencode(GOOD)
    whole = f"{body}&x=" + "x" * (1000 - len(body) - 3)
    assert dict(carried(post(client, whole))) == GOOD

    response = post(client, whole + "x")

    detail = assert_refused(response, "callback.malformed", caplog)
    assert detail["received"] == "RequestDataTooBig"


# --- the name that the provider sends once (Apple)

NAMES = {"name": {"firstName": "Ada", "lastName": "Example"}, "email": "x@evil.test"}


@pytest.fixture
def nameless(settings: Settings, oauth_provider: FakeProvider) -> FakeProvider:
    """A provider that sends the name beside the token, and nowhere else."""
    configure(settings, RESPONSE_MODE="form_post", DEVIATIONS=["user_in_response"])
    for name in ("given_name", "family_name", "name"):
        del oauth_provider.people["alice"][name]
    return oauth_provider


def posted_with(client: Client, provider: FakeProvider, user: str) -> Any:
    callback = provider.authorize(begin(client))
    return post(client, [*(callback.form or ()), ("user", user)])


def first_name() -> str:
    return str(get_user_model().objects.get().first_name)


def test_a_name_comes_along_sealed(client: Client, nameless: FakeProvider) -> None:
    posted = posted_with(client, nameless, json.dumps(NAMES))

    for part in ("Ada", "Example", "evil"):
        assert part not in posted["Location"]
    response = client.get(posted["Location"], secure=True)
    assert response["Location"] == "/private/"
    assert first_name() == "Ada"
    # It is not signed: a name and nothing else.
    assert get_user_model().objects.get().email == "alice@example.test"


def test_a_name_that_a_link_brings_along_is_no_name(
    client: Client, nameless: FakeProvider
) -> None:
    callback = nameless.authorize(begin(client))
    fields = [*(callback.form or ()), ("user", json.dumps(NAMES))]

    client.get(f"{callback}?{urlencode(fields)}", secure=True)

    assert first_name() == ""


def test_with_a_strict_cookie_the_name_takes_the_step_too(
    client: Client, nameless: FakeProvider, settings: Settings
) -> None:
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    posted = posted_with(client, nameless, json.dumps(NAMES))
    hop = Client().get(posted["Location"], secure=True).content.decode()
    (url,) = re.findall(r'content="0; url=(.*?)"', hop)

    client.get(html.unescape(url), secure=True)

    assert first_name() == "Ada"


@pytest.mark.parametrize(("length", "kept"), [(1024, "Ada"), (1025, "")])
def test_a_name_of_a_kilobyte_fits_into_an_address(
    client: Client, nameless: FakeProvider, length: int, kept: str
) -> None:
    user = json.dumps({**NAMES, "x": "ü"}, ensure_ascii=False)
    user += " " * (length - len(user.encode()))

    posted = posted_with(client, nameless, user)
    client.get(posted["Location"], secure=True)

    assert len(posted["Location"]) < 4096
    assert first_name() == kept


@pytest.mark.parametrize("user", ["", "{", "[]", '{"name": 1}', '{"name": {}}', "\0"])
def test_a_name_that_is_none_changes_nothing(
    client: Client, nameless: FakeProvider, user: str
) -> None:
    posted = posted_with(client, nameless, user)

    assert client.get(posted["Location"], secure=True)["Location"] == "/private/"
    assert first_name() == ""


def test_without_the_switch_no_name_is_taken(
    client: Client, nameless: FakeProvider, settings: Settings
) -> None:
    configure(settings, RESPONSE_MODE="form_post", DEVIATIONS=[])

    posted = posted_with(client, nameless, json.dumps(NAMES))
    client.get(posted["Location"], secure=True)

    assert "user" not in dict(carried(posted))
    assert first_name() == ""
