"""Every language that we ship, as a browser asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.template import Context, Template
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from oauth_login.admin.chart import chart
from oauth_login.models import GrantedRight, LoginEvent, LoginSession
from oauth_login.testing import FakeProvider, log_in
from oauth_login.user_agents import translated_user_agent

# What a browser asks for; how the page is marked, and a text by which to know it.
LANGUAGES = {
    "ar": ("ar", "rtl", "المتابعة باستخدام \u2068Corp SSO\u2069"),
    "de": ("de", "ltr", "Weiter mit Corp SSO"),
    "en": ("en", "ltr", "Continue with Corp SSO"),
    "es": ("es", "ltr", "Continuar con Corp SSO"),
    "fr": ("fr", "ltr", "Continuer avec Corp SSO"),
    "ja": ("ja", "ltr", "Corp SSO で続ける"),
    "pt-BR": ("pt-br", "ltr", "Continuar com Corp SSO"),
}


@pytest.fixture(autouse=True)
def speaks(settings: Settings) -> Iterator[None]:
    middleware = list(settings.MIDDLEWARE)
    place = middleware.index("django.middleware.common.CommonMiddleware")
    middleware.insert(place, "django.middleware.locale.LocaleMiddleware")
    settings.MIDDLEWARE = middleware
    # What a request activates stays active after it.
    with translation.override(settings.LANGUAGE_CODE):
        yield


def page(path: str, language: str, client: Client | None = None) -> str:
    response = (client or Client()).get(
        path, secure=True, headers={"Accept-Language": language}
    )
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_in_the_language_of_the_browser(language: str) -> None:
    code, direction, text = LANGUAGES[language]
    shown = page("/auth/login/", language)

    assert f'<html lang="{code}" dir="{direction}">' in shown
    assert text in shown


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["tlh", "xx-YY", "", "*", "de;q=0, en"])
def test_a_language_that_we_have_not_is_english(language: str) -> None:
    shown = page("/auth/login/", language)

    assert '<html lang="en" dir="ltr">' in shown.replace("en-us", "en")
    assert "Continue with Corp SSO" in shown


@pytest.mark.django_db
def test_the_admins_login_page_speaks_too() -> None:
    assert "Weiter mit Corp SSO" in page("/admin/login/", "de")


@pytest.mark.django_db
def test_an_error_page_is_in_german(client: Client) -> None:
    response = client.get(
        "/auth/corp/callback/?code=a&state=b",
        secure=True,
        headers={"Accept-Language": "de"},
    )
    shown = response.content.decode()

    assert response.status_code == 400
    assert "Anmeldung fehlgeschlagen" in shown
    assert "Eine Anmeldemöglichkeit wählen" in shown
    # The code is the same everywhere: a reader who asks for help can name it.
    assert "<bdi>callback.state_unknown</bdi>" in shown


@pytest.fixture
def account(client: Client, oauth_provider: FakeProvider) -> Client:
    log_in(client, oauth_provider, person="bob")
    return client


def sessions(number: int) -> list[LoginSession]:
    user = get_user_model().objects.get()
    now = timezone.now()
    rows = [
        LoginSession(
            id=f"other-{index}",
            user=user,
            client="Firefox on Windows",
            expires_at=now + timedelta(days=1),
        )
        for index in range(number)
    ]
    LoginSession.objects.bulk_create(rows)
    LoginSession.objects.filter(id__startswith="other").update(
        created_at=now - timedelta(days=3), last_seen_at=now - timedelta(hours=1)
    )
    return rows


@pytest.mark.django_db
def test_the_account_page_is_in_german(account: Client) -> None:
    sessions(1)
    shown = page("/auth/account/", "de", account)

    assert "Anmeldung und Sicherheit" in shown
    assert "Firefox auf Windows" in shown
    assert "mit einem Passwort · angemeldet: vor 3 Tagen" in shown
    assert "zuletzt aktiv: vor 1 Stunde" in shown
    assert '<span class="ol-badge ok">Angemeldet</span>' in shown
    assert "Corp SSO trennen" in shown or "Ihre einzige Möglichkeit" in shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "number", "notice"),
    [
        ("de", 1, "1 Sitzung wurde beendet."),
        ("de", 2, "2 Sitzungen wurden beendet."),
        ("fr", 1, "1 session a été fermée."),
        ("ja", 2, "2 件のセッションを終了しました。"),
        ("ar", 1, "أُنهيت جلسة واحدة."),
        ("ar", 2, "أُنهيت جلستان."),
        ("ar", 3, "أُنهيت 3 جلسات."),
        ("ar", 11, "أُنهيت 11 جلسة."),
    ],
)
def test_a_number_takes_the_form_that_its_language_has(
    account: Client, language: str, number: int, notice: str
) -> None:
    sessions(number)
    response = account.post(
        "/auth/account/sessions/end/",
        {"others": "1"},
        secure=True,
        follow=True,
        headers={"Accept-Language": language},
    )

    assert notice in response.content.decode()


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=-5), "gerade eben"),
        (timedelta(seconds=59), "gerade eben"),
        (timedelta(seconds=60), "vor 1 Minute"),
        (timedelta(minutes=59, seconds=59), "vor 59 Minuten"),
        (timedelta(hours=1), "vor 1 Stunde"),
        (timedelta(hours=23, minutes=59), "vor 23 Stunden"),
        (timedelta(days=1), "vor 1 Tag"),
        (timedelta(days=400), "vor 400 Tagen"),
    ],
)
@pytest.mark.parametrize("use_tz", [True, False])
def test_a_while_ago_is_one_phrase(
    settings: Settings, ago: timedelta, text: str, *, use_tz: bool
) -> None:
    settings.USE_TZ = use_tz
    template = Template("{% load oauth_login %}{{ moment|oauth_login_ago }}")
    with time_machine.travel("2030-01-01T12:00:00Z", tick=False):
        context = Context({"moment": timezone.now() - ago})
        with translation.override("de"):
            assert template.render(context) == text


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("Firefox on Windows", "Windows の Firefox"),
        ("Firefox", "Firefox"),
        ("", ""),
    ],
)
def test_a_browsers_name_is_translated_when_it_is_shown(client: str, text: str) -> None:
    with translation.override("ja"):
        assert translated_user_agent(client) == text


def test_rows_are_named_in_the_readers_language() -> None:
    with translation.override("fr"):
        assert str(LoginSession()) == "Navigateur inconnu"
        assert str(LoginSession(client="Edge on Windows")) == "Edge sur Windows"
        assert str(LoginEvent(outcome="login", reference="1-2")) == "connexion 1-2"
        assert str(GrantedRight(kind="staff")) == "équipe"
        # A group's name is the site's own.
        assert str(GrantedRight(kind="group", group="staff")) == "staff"


@pytest.mark.django_db
def test_the_admins_lists_are_in_german(admin_client: Client) -> None:
    user: Any = get_user_model().objects.get()
    LoginEvent.objects.create(
        outcome="login", user=user, client="Firefox on Windows", reference="1-2"
    )
    events = page("/admin/oauth_login/loginevent/", "de", admin_client)

    assert "Firefox auf Windows" in events
    assert "Anmeldungen pro Tag, letzte 30 Tage" in events


def test_where_letters_run_to_the_left_time_does_too() -> None:
    today = timezone.now().date()
    counts = [(today, "login", 3)]
    there, here = chart(counts, today=today), chart(counts, today=today, mirrored=True)

    # The numbers of the scale stand at the side where time begins.
    assert 0 < there.scale_x < there.first_x
    assert here.last_x < here.scale_x < here.width
    assert (here.first_x, here.last_x) == (0, there.last_x - there.first_x)
    assert there.bars[0].x == there.last_x - 20
    assert here.bars[0].x == 0
    first_there, first_here = there.days[0], here.days[0]
    assert first_there.x == first_there.label_x == there.first_x
    # Text begins at its right edge there.
    assert (first_here.x, first_here.label_x) == (here.last_x - 20, here.last_x - 4)
