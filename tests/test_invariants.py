"""What holds for every answer to every bad input, from every sender.

The faults of the test kit are the provider's bad input, and every new one is tried
here by itself; the browser's is below.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import django
import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.utils.log import AdminEmailHandler
from pytest_django import Settings

from oauth_login.errors import CODES
from oauth_login.provider.document_cache import FRESH_LIFETIME
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.catalogue import FAULTS
from oauth_login.testing.login import follow, initiate_login
from tests.testing.test_faults import OF_ENCRYPTION, ask_for_encryption

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
# In everything bad that the browser sends; spelled so that no encoding changes it.
CANARY = "zqxcanary"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.")


class Observed:
    """Everything that came out of the site, and everything that must not."""

    def __init__(
        self,
        client: Client,
        provider: FakeProvider,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.client, self._provider, self._caplog = client, provider, caplog
        self.secrets = {provider.client_secret}
        caplog.set_level(logging.DEBUG)
        caplog.clear()

    def begin(self, **options: Any) -> Any:
        """Start a login, and learn what only the session knows of it."""
        response = self.client.get("/auth/corp/login/", secure=True, **options)
        self.learn()
        return response

    def learn(self) -> None:
        for attempt in self.client.session.get("_oauth_login_pending", {}).values():
            self.secrets |= {attempt["nonce"], attempt["code_verifier"]}

    def authorize(self, url: str) -> Any:
        callback = self._provider.authorize(url)
        sent = dict(callback.form or parse_qsl(urlsplit(callback).query))
        if isinstance(code := sent.get("code"), str):
            self.secrets.add(code)
        return callback

    @property
    def events(self) -> list[Any]:
        return [r for r in self._caplog.records if hasattr(r, "oauth_login_event")]

    def check(self, response: Any) -> None:
        assert_clean(response, self._provider)
        self.secrets |= set(self._provider.access_tokens)
        for request in self._provider.request_log:
            self.secrets |= {
                value
                for name, value in parse_qsl(request.body.decode("latin-1"))
                if name in ("code", "code_verifier", "client_secret")
            }
        # Every record is one line, and at most one mail is about it.
        records = [self._text(record) for record in self._caplog.records]
        for text in records:
            assert not CONTROL.search(text), text
        page = response.content.decode()
        mails = [f"{m.subject} {m.body} {m.alternatives}" for m in mail.outbox]
        for text in (*records, page, *mails):
            for secret in self.secrets - {""}:
                assert secret not in text
            assert not JWT.search(text)
        assert CANARY not in page.lower()

    def _text(self, record: logging.LogRecord) -> str:
        # With whatever a site's formatter may add: the traceback, the extra.
        extra = getattr(record, "oauth_login_detail", {})
        text = f"{record.getMessage()} {extra!r}"
        assert record.exc_info is None, text
        return text


def assert_clean(response: Any, provider: FakeProvider) -> None:
    """The headers of every answer, and where it may lead."""
    # T13, T15, T23, T24
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert "Cookie" in response["Vary"]
    page = response.content.decode()
    assert "Traceback" not in page
    assert "evil.example.com" not in page
    location = response.get("Location", "/")
    endpoints = tuple(
        provider.endpoints[name]
        for name in ("authorization_endpoint", "end_session_endpoint")
    )
    assert re.match(r"/(?![/\\])", location) or location.startswith(endpoints)
    assert not CONTROL.search(location)


@pytest.fixture
def observed(
    client: Client,
    oauth_provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
) -> Iterator[Observed]:
    # Django 6 wants addresses, Django 5.2 pairs.
    admin: Any = "admin@example.test" if django.VERSION >= (6,) else ("a", "a@b.test")
    settings.ADMINS = [admin]
    # As a site may have it: every error by mail, with all that Django knows of it.
    by_mail = AdminEmailHandler(include_html=True)
    by_mail.setLevel(logging.ERROR)
    logging.getLogger().addHandler(by_mail)
    yield Observed(client, oauth_provider, caplog)
    logging.getLogger().removeHandler(by_mail)


def asking_for_everything(settings: Settings, **keys: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    asking = {"MAX_AGE": 3600, "ACR_VALUES": ["gold"], "INITIATE_LOGIN": True}
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": {**entry, **asking, **keys}},
    }


# What such an error has to say to a reader who looks for the reason. Nonces and hashes
# stay out, both sides of them.
EXPLAINED = {
    code
    for code in CODES
    if code.endswith(("iss_mismatch", "aud_mismatch", "azp_mismatch", "acr_mismatch"))
    or code.endswith(("alg_not_allowed", ".content_type", ".unexpected_status"))
} | {"discovery.issuer_mismatch", "token.token_type", "callback.iss_mismatch"}


# One fault of each document: DEBUG changes the pages, but not what a fault does.
ONE_OF_EACH = {name.partition(".")[0]: name for name in FAULTS if "." in name}.values()
# The response mode changes how the callback's parameters arrive.
OF_CALLBACK = [name for name in FAULTS if "callback" in FAULTS[name].changes]
BY_FORM = dict.fromkeys([*ONE_OF_EACH, *OF_CALLBACK])


@pytest.mark.parametrize(
    ("name", "mode", "debug"),
    [
        *((name, "query", False) for name in FAULTS),
        *((name, "query", True) for name in ONE_OF_EACH),
        *(
            (name, "form_post", False)
            for name in dict.fromkeys([*ONE_OF_EACH, *OF_CALLBACK])
        ),
    ],
)
def test_no_fault_of_a_provider_shows_or_spoils_anything(
    name: str,
    debug: bool,
    mode: str,
    observed: Observed,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    # T24 T39 T122 T123
    settings.DEBUG = debug
    asking_for_everything(settings, RESPONSE_MODE=mode)
    if name.partition(".")[2] in OF_ENCRYPTION:
        ask_for_encryption(settings, oauth_provider)
    with oauth_provider.fault(name) as fault:
        response = observed.begin()
        observed.check(response)
        if response.status_code == 302:
            response = follow(observed.client, observed.authorize(response["Location"]))
            observed.check(response)

    if fault.code is None:
        assert response["Location"] == "/home/"
        return
    assert (response.status_code == 500) is fault.code.startswith("config.")
    assert "_auth_user_id" not in observed.client.session
    assert not get_user_model().objects.exists()
    (record,) = observed.events
    assert record.oauth_login_code == fault.code
    assert f"code={fault.code!r}" in record.getMessage()
    if fault.code.startswith("config."):
        assert [fault.code in message.body for message in mail.outbox] == [True]
    if fault.code in EXPLAINED:
        assert {"expected", "received"} <= record.oauth_login_detail.keys()
    # A login of later finds nothing in its way: what was bad is kept no longer than
    # what is good.
    with time_machine.travel(time.time() + FRESH_LIFETIME + 1):
        assert oauth_log_in(observed.client)["Location"] == "/home/"


@pytest.mark.parametrize("name", [n for n in FAULTS if n.startswith("discovery.")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_that_others_begin_ends_as_cleanly(
    name: str,
    method: Any,
    observed: Observed,
    oauth_provider: FakeProvider,
    settings: Settings,
) -> None:
    # T25 T39 T122
    asking_for_everything(settings)
    with oauth_provider.fault(name) as fault:
        response = initiate_login(observed.client, oauth_provider, method=method)
        observed.check(response)

    assert response.status_code in (502, 503)
    (record,) = observed.events
    assert record.oauth_login_code == fault.code


@pytest.mark.parametrize("name", [n for n in FAULTS if n.startswith("discovery.")])
def test_a_logout_ends_here_whatever_the_provider_does(
    name: str,
    observed: Observed,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    # T109 T122
    oauth_log_in(observed.client)
    settings.CACHES = {**settings.CACHES}  # what is known of the provider is forgotten
    from django.core.cache import cache

    from oauth_login.registry import forget_providers

    cache.clear()
    forget_providers()
    with oauth_provider.fault(name):
        response = observed.client.post("/auth/logout/", secure=True)
    observed.check(response)

    assert response.status_code == 200
    assert "_auth_user_id" not in observed.client.session


# --- the browser's bad input

EVIL = f"<script>{CANARY}</script>\r\nX: \u202e\u2028\x00\x1b[31m"
HEADERS = {
    "User-Agent": f"{CANARY} \u202e".encode().decode("latin-1"),
    "Referer": f"https://{CANARY}.example.com/?code={CANARY}",
    "Accept-Language": CANARY,
    "X-Forwarded-For": CANARY,
    "X-Forwarded-Host": f"{CANARY}.example.com",
    "X-Forwarded-Proto": CANARY,
    "Origin": f"https://{CANARY}.example.com",
    "Sec-Fetch-Site": CANARY,
}


def callbacks() -> Iterator[tuple[str, str]]:
    """Queries and forms, none of which any login of ours asked for."""
    names = ("code", "state", "iss", "error", "error_description", "error_uri", "user")
    for name in names:
        rest = {other: CANARY for other in names[:2] if other != name}
        for label, value in {
            "markup": EVIL,
            "empty": "",
            "long": CANARY * 20_000,
            "surrogate": "\udcff",
            "nul": f"\x00{CANARY}",
            "rtl": f"\u202e{CANARY}",
            "json": f'{{"{CANARY}": 1}}',
            "template": f"{{{{ {CANARY} }}}}",
            "format": f"%s %(x)s {{0}} {CANARY}",
        }.items():
            query = urlencode({**rest, name: value}, errors="surrogateescape")
            yield f"{name}-{label}", query
        yield f"{name}-twice", urlencode([*rest.items(), (name, CANARY), (name, "b")])
    yield "unknown", urlencode({CANARY: EVIL, f"{CANARY}[]": CANARY})
    yield "brackets", f"code[]={CANARY}&state[{CANARY}]={CANARY}"
    yield "semicolons", f"code={CANARY};state={CANARY}"
    yield "latin-1", f"code={CANARY}%ff%fe&state=%80{CANARY}"
    yield "half an escape", f"code=%&state=%u{CANARY}&iss=%zz"
    yield "many", "&".join(f"{CANARY}{n}={n}" for n in range(1001))
    yield "tokens", urlencode({"state": CANARY, "id_token": f"e30.{CANARY}.e30"})
    yield "nothing", ""
    yield "rubbish", f"&&==&=&{CANARY}"


CALLBACKS = dict(callbacks())


# With DEBUG, only what can appear on a page: markup in each parameter, and odd names.
WITH_DEBUG = [row for row in CALLBACKS if "-" not in row or row.endswith("-markup")]


@pytest.mark.parametrize(
    ("row", "method", "debug"),
    [
        *((row, method, False) for row in CALLBACKS for method in ("GET", "POST")),
        *((row, "GET", True) for row in WITH_DEBUG),
    ],
)
def test_no_callback_shows_or_spoils_anything(
    row: str,
    method: str,
    debug: bool,
    observed: Observed,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    # T03 T24 T39 T40 T41 T122; pains 50
    settings.DEBUG = debug
    asking_for_everything(settings, RESPONSE_MODE="form_post")
    observed.begin()
    path, query = "/auth/corp/callback/", CALLBACKS[row]
    if method == "GET":
        response = observed.client.get(f"{path}?{query}", secure=True, headers=HEADERS)
        assert response.status_code == 400
    else:
        response = observed.client.post(
            path,
            query,
            content_type="application/x-www-form-urlencoded",
            secure=True,
            headers=HEADERS,
        )
        # A form is only carried on; it is judged when it comes as a GET.
        assert response.status_code in (303, 400)
        if response.status_code == 303:
            assert response["Location"].startswith(f"{path}?")
            observed.check(response)
            response = observed.client.get(
                response["Location"], secure=True, headers=HEADERS
            )
            assert response.status_code == 400
    observed.check(response)

    (record,) = observed.events
    assert record.oauth_login_code.startswith("callback.")
    # The attempt that was under way is as good as before.
    assert oauth_log_in(observed.client)["Location"] == "/home/"


ENTRANCES: dict[str, tuple[str, str, set[int]]] = {
    # name: method, URL, statuses
    "login": ("GET", f"/auth/login/?next=//{CANARY}.example", {200}),
    "login next": ("GET", f"/auth/login/?next=javascript:{CANARY}", {200}),
    "login posted": ("POST", f"/auth/login/?next={CANARY}", {405}),
    "login many": ("GET", "/auth/login/?" + "a=1&" * 1001, {200, 400}),
    "begin": ("GET", f"/auth/corp/login/?next=//{CANARY}.example", {302}),
    "begin scope": ("GET", f"/auth/corp/login/?scope={CANARY}", {302, 400}),
    "begin state": ("GET", f"/auth/corp/login/?state={CANARY}", {302, 400}),
    "begin redirect_uri": (
        *("GET", f"/auth/corp/login/?redirect_uri=https://{CANARY}/", {302, 400}),
    ),
    "begin hint": ("GET", f"/auth/corp/login/?login_hint=%00{CANARY}", {302, 400}),
    "begin posted": ("POST", "/auth/corp/login/", {405}),
    "begin long": ("GET", "/auth/corp/login/?next=/" + CANARY * 5000, {302}),
    "initiate": ("GET", "/auth/corp/initiate/", {400}),
    "initiate iss": ("GET", f"/auth/corp/initiate/?iss=https://{CANARY}", {400}),
    "initiate twice": ("GET", f"/auth/corp/initiate/?iss=a&iss={CANARY}", {400}),
    "initiate posted": ("POST", f"/auth/corp/initiate/?iss={CANARY}", {400}),
    "initiate target": (
        "GET",
        "/auth/corp/initiate/?iss=https://id.example.com&target_link_uri="
        f"https://{CANARY}.example/",
        {302},
    ),
    "initiate hint": (
        "GET",
        f"/auth/corp/initiate/?iss=https://id.example.com&login_hint=%0d%0a{CANARY}",
        {302, 400},
    ),
    "callback put": ("PUT", f"/auth/corp/callback/?code={CANARY}", {405}),
    "logout": ("GET", f"/auth/logout/?next=//{CANARY}.example", {302}),
    "logout posted": ("POST", f"/auth/logout/?next=//{CANARY}.example", {302}),
    "logged out": ("GET", f"/auth/logged-out/?state={CANARY}", {200}),
    "logged out nul": ("GET", f"/auth/logged-out/?state=%00{CANARY}&next=/", {200}),
    "account": ("GET", f"/auth/account/?next=//{CANARY}", {302}),
}


@pytest.mark.parametrize("debug", [False, True], ids=["", "DEBUG"])
@pytest.mark.parametrize("row", ENTRANCES)
def test_no_entrance_shows_or_spoils_anything(
    row: str,
    debug: bool,
    observed: Observed,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    # T15 T17 T22 T24 T25 T39 T122
    settings.DEBUG = debug
    asking_for_everything(settings)
    method, url, statuses = ENTRANCES[row]
    response = observed.client.generic(method, url, secure=True, headers=HEADERS)
    observed.learn()

    assert response.status_code in statuses
    observed.check(response)
    # What is asked of the provider is ours, and nothing that came.
    assert CANARY not in response.get("Location", "").lower()
    assert oauth_log_in(observed.client)["Location"] == "/home/"


def test_our_public_keys_are_public_and_their_trouble_is_not(
    observed: Observed, settings: Settings
) -> None:
    # T24 T122
    def broken() -> str:
        raise RuntimeError(f"{CANARY}: the vault said no")

    asking_for_everything(settings, CLIENT_KEYS=[broken], CLIENT_AUTH="private_key_jwt")
    response = observed.client.get("/auth/corp/jwks/", secure=True, headers=HEADERS)
    observed.check(response)

    assert response.status_code == 500
    assert json.loads(response.content) == {"error": "config.client_keys"}
    (record,) = observed.events
    assert record.oauth_login_code == "config.client_keys"
    assert CANARY not in record.getMessage()
