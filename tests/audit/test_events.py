"""One row for each outcome, and what can be done with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from oauth_login.audit import chain, events
from oauth_login.login import breakglass
from oauth_login.models import LoginEvent, LoginSession
from oauth_login.policy.rules import RuleSet
from oauth_login.rights.explain import explain
from oauth_login.rights.rehearse import rehearse
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def alice() -> Any:
    return get_user_model().objects.create_user("alice")


def outcomes() -> list[str]:
    return list(LoginEvent.objects.order_by("pk").values_list("outcome", flat=True))


def test_a_login_has_a_row_with_a_coarse_client(
    oauth_log_in: LogIn,
) -> None:
    oauth_log_in(Client(headers={"User-Agent": FIREFOX}))

    row = LoginEvent.objects.get()
    assert (row.outcome, row.code, row.provider) == ("login", "", "corp")
    assert row.client == "Firefox on Windows"
    assert row.user_key == str(get_user_model().objects.get().pk)
    assert not {"ip", "address", "user_agent"} & {f.name for f in row._meta.fields}


def test_a_failure_has_its_code(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    with oauth_provider.fault("token.status"):
        oauth_log_in(client)

    row = LoginEvent.objects.get()
    assert (row.outcome, row.code, row.user_key) == ("failed", "token.status", "")


def test_what_nobody_started_here_fills_no_table(client: Client) -> None:
    client.get("/auth/corp/callback/?code=a&state=b", secure=True)

    assert not LoginEvent.objects.exists()


def test_rights_logins_and_logouts_are_rows(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "STAFF_IF": {"groups": "staff"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    oauth_log_in(client, person="bob")
    client.post("/auth/logout/", secure=True)

    assert outcomes() == ["rights_changed", "login", "logged_out"]


def test_a_denial_names_who_was_denied(client: Client, oauth_log_in: LogIn) -> None:
    oauth_log_in(client, person="carol")
    client.get("/admin/", follow=True, secure=True)

    row = LoginEvent.objects.get(outcome="denied")
    assert (row.code, row.user) == ("account.not_staff", get_user_model().objects.get())


@pytest.mark.parametrize("outcome", ["linked", "unlinked", "logged_out_by_provider"])
def test_what_happens_to_an_account_is_a_row(
    alice: Any, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    reference = getattr(events, outcome)(alice, provider="corp", code="command")

    row = LoginEvent.objects.get()
    assert (row.outcome, row.code, row.user) == (outcome, "command", alice)
    assert (row.reference, row.client) == (reference, "")
    (record,) = caplog.records
    assert record.oauth_login_reference == reference
    assert record.oauth_login_event == outcome


@pytest.mark.user_models
def test_whoever_the_users_are_their_events_are_chained_and_explained(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    key = "a-key-of-the-suite-that-is-long-enough"
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "STAFF_IF": {"groups": "staff"}}
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": entry},
        "EVENT_LOG_KEY": key,
        "KEEP_CLAIMS": True,
    }
    oauth_log_in(client, person="bob")
    user = get_user_model().objects.get()

    assert chain.verify().found is None
    assert {row.user_key for row in LoginEvent.objects.all()} == {str(user.pk)}
    (identity,) = explain(user).identities
    assert [(r.right, r.status) for r in identity.rights] == [("staff", "given")]
    # T150: a rule that is gone gives nothing.
    (loss,) = rehearse({"corp": RuleSet()})
    assert loss.loses == ("staff",)
    link = breakglass.new_token(user, now=timezone.now())
    assert breakglass.use(link, now=timezone.now()) == user


@pytest.mark.parametrize(("days", "kept"), [(29.99, True), (30.01, False)])
def test_sessions_that_are_over_are_pruned(alice: Any, days: float, kept: bool) -> None:
    over = timezone.now() - timedelta(days=days)
    later = timezone.now() + timedelta(days=1)
    LoginSession.objects.create(id="expired", user=alice, expires_at=over)
    LoginSession.objects.create(id="ended", user=alice, expires_at=later, ended_at=over)
    LoginSession.objects.create(id="open", user=alice, expires_at=later)
    number = 0 if kept else 2
    for options, verb in (({"dry_run": True}, "would delete"), ({}, "deleted")):
        output = StringIO()
        call_command("oauth_login_prune", stdout=output, **options)
        assert f"{verb} {number} sessions that have ended" in output.getvalue()

    assert LoginSession.objects.count() == (3 if kept else 1)


# --- as JSON lines -----------------------------------------------------------------


def export(*arguments: str) -> list[dict[str, Any]]:
    output = StringIO()
    call_command("oauth_login_events", *arguments, stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_has_these_keys_in_this_order(alice: Any) -> None:
    events.linked(alice, provider="corp", code="command")
    row = LoginEvent.objects.get()

    (line,) = export("--format", "jsonl")

    assert list(line.items()) == [
        ("time", row.created_at.astimezone(UTC).isoformat()),
        ("outcome", "linked"),
        ("code", "command"),
        ("provider", "corp"),
        ("user", str(alice.pk)),
        ("reference", row.reference),
        ("client", ""),
        ("sequence", None),
        ("mac", ""),
        ("count", 1),
    ]


def test_what_comes_from_outside_stays_on_its_line() -> None:
    # T106
    LoginEvent.objects.create(outcome="failed", reference="A", code="a\n\u2028{\x1b")

    output = StringIO()
    call_command("oauth_login_events", stdout=output)

    assert output.getvalue().count("\n") == 1
    assert output.getvalue().isascii()
    assert json.loads(output.getvalue())["code"] == "a\n\u2028{\x1b"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], "abcd"),
        (["--outcome", "login"], "ab"),
        (["--outcome", "login", "--outcome", "failed"], "abc"),
        (["--provider", "other"], "b"),
        (["--user", "7"], "a"),
        (["--since", "3d"], "cd"),
        (["--since", "61h"], "cd"),
        (["--since", "59h"], "d"),
        (["--since", "1m"], ""),
        (["--until", "3d"], "ab"),
        (["--since", "2026-11-01"], "abcd"),
        (["--since", "2026-11-15"], "bcd"),
        (["--since", "2026-11-14T12:00:00Z"], "abcd"),
        (["--since", "2026-11-14T12:00:00.000001Z"], "bcd"),
        (["--until", "2026-11-14T12:00:00Z"], ""),
    ],
)
def test_lines_can_be_chosen(
    arguments: list[str], found: str, time_machine: Any
) -> None:
    time_machine.move_to("2026-11-24T12:00:00Z", tick=False)
    now = timezone.now()
    for name, outcome, provider, key, age in (
        ("d", "unlinked", "corp", "", timedelta(hours=1)),
        ("c", "failed", "corp", "", timedelta(hours=60)),
        ("b", "login", "other", "8", timedelta(days=5)),
        ("a", "login", "corp", "7", timedelta(days=10)),
    ):
        LoginEvent.objects.create(
            outcome=outcome,
            provider=provider,
            user_key=key,
            reference=name,
            created_at=now - age,
        )

    assert "".join(line["reference"] for line in export(*arguments)) == found


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30", "7w", ""])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(CommandError, match="is not a valid time"):
        export(f"--since={text}")


def test_an_outcome_that_is_none_is_said() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        export("--outcome", "succeeded")


def test_lines_come_out_one_by_one(django_assert_num_queries: Any) -> None:
    nobody: Any = None
    for _ in range(20):
        events.linked(nobody, provider="corp")
    with django_assert_num_queries(1):
        assert len(export()) == 20


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    script = (
        "import os, sys, django\n"
        "from django.conf import settings\n"
        "from tests import settings as ours\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        f"ours.DATABASES['default']['NAME'] = {str(tmp_path / 'db')!r}\n"
        "django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from oauth_login.models import LoginEvent\n"
        "LoginEvent.objects.bulk_create(\n"
        "    LoginEvent(outcome='login', reference='A') for _ in range(3000))\n"
        "call_command('oauth_login_events')\n"
    )
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env={k: v for k, v in os.environ.items() if "DATABASE_URL" not in k},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"time"')
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (0, b"")
