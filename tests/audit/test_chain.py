"""The chain of login events: what was done to the log can be seen."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from oauth_login.audit import chain, events
from oauth_login.models import EventChainHead, LoginEvent
from oauth_login.sessions.expiry import moment

KEY = "a-key-of-the-suite-that-is-long-enough"
COLUMNS = ("outcome", "code", "provider", "user_key", "reference", "client")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def chained(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": KEY}


@pytest.fixture
def alice() -> Any:
    return get_user_model().objects.create_user("alice")


def write(number: int, user: Any = None) -> None:
    for _ in range(number):
        events.linked(user, provider="corp", code="a")


def found() -> str | None:
    broken = chain.verify().found
    return f"{broken.sequence}: {broken.what}" if broken else None


def rows() -> list[LoginEvent]:
    return list(LoginEvent.objects.order_by("sequence"))


def test_what_was_written_is_whole(alice: Any) -> None:
    write(3, alice)

    verdict = chain.verify()

    assert (verdict.rows, verdict.unprotected, verdict.found) == (3, 0, None)
    assert [row.sequence for row in rows()] == [1, 2, 3]
    assert verdict.head == f"3:{rows()[-1].mac}"


def test_an_empty_log_is_whole() -> None:
    assert chain.verify() == chain.ChainVerdict(0, 0, "", None)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_found(column: str, alice: Any) -> None:
    write(3, alice)
    LoginEvent.objects.filter(sequence=2, user=None).update(user=None)
    LoginEvent.objects.filter(sequence=2).update(**{column: "b"})

    assert found() == "2: a row was changed, or put in"


def test_another_time_is_found() -> None:
    write(3)
    moved = rows()[1].created_at + timedelta(microseconds=1)
    LoginEvent.objects.filter(sequence=2).update(created_at=moved)

    assert found() == "2: a row was changed, or put in"


def test_a_row_given_to_somebody_else_is_found(alice: Any) -> None:
    write(3, alice)
    bob = get_user_model().objects.create_user("bob")
    LoginEvent.objects.filter(sequence=2).update(user=bob)

    assert found() == "2: a row was given to another user"


def test_a_user_may_go(alice: Any) -> None:
    write(2, alice)
    key = str(alice.pk)
    alice.delete()

    assert found() is None
    assert {row.user_key for row in rows()} == {key}


def test_a_removed_row_is_found() -> None:
    write(4)
    LoginEvent.objects.filter(sequence=2).delete()

    assert found() == "2: a row was removed"


def test_a_removed_beginning_is_found() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=1).delete()

    assert found() == "1: a row was removed"


def test_a_removed_end_is_found() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=3).delete()

    assert found() == "3: rows were removed from the end"


def test_rows_that_close_the_gap_are_found() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=2).delete()
    LoginEvent.objects.filter(sequence=3).update(sequence=2)

    assert found() == "2: a row was changed, or put in"


def test_two_rows_that_change_places_are_found() -> None:
    write(3)
    for old, new in ((1, 9), (2, 1), (9, 2)):
        LoginEvent.objects.filter(sequence=old).update(sequence=new)

    assert found() == "1: a row was changed, or put in"


def test_a_row_that_was_put_in_is_found() -> None:
    write(2)
    LoginEvent.objects.create(outcome="login", reference="AAAA-AAAA")

    assert found() == "None: a row outside of the chain: AAAA-AAAA"


def test_a_row_put_after_the_end_is_found() -> None:
    write(2)
    LoginEvent.objects.create(
        outcome="login", reference="AAAA-AAAA", sequence=3, mac="0" * 64
    )

    assert found() == "3: rows were put after the end"
    write(1)  # and no login fails for it
    assert found() == "3: rows were put after the end"


def test_a_head_that_was_moved_back_is_found() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=3).delete()
    EventChainHead.objects.update(sequence=2, mac=rows()[-1].mac)

    assert found() == "None: the head was changed, or was made with another key"


def test_a_removed_head_is_found() -> None:
    write(2)
    EventChainHead.objects.all().delete()

    assert found() == "None: the head was removed"


def test_an_old_head_hides_the_end_but_not_from_one_that_was_kept() -> None:
    write(2)
    old = EventChainHead.objects.values().get()
    write(2)
    kept = chain.verify().head
    LoginEvent.objects.filter(sequence__gt=2).delete()
    EventChainHead.objects.filter(pk=1).update(**old)

    assert found() is None  # what docs/operations.md says is not seen
    broken = chain.verify(expected_head=kept).found
    assert broken == chain.Break(3, "rows were removed from the end, with their head")


def test_another_log_is_not_the_one_whose_head_was_kept() -> None:
    write(2)
    kept = chain.verify().head
    LoginEvent.objects.all().delete()
    EventChainHead.objects.all().delete()
    assert chain.verify(expected_head=kept).found == chain.Break(
        None, "the head was removed"
    )
    write(3)

    broken = chain.verify(expected_head=kept).found
    assert broken == chain.Break(2, "this is not the log whose head was kept")


def test_an_earlier_head_of_this_log_fits() -> None:
    write(2)
    kept = chain.verify().head
    write(2)

    assert chain.verify(expected_head=kept).found is None


def test_nothing_is_built_on_a_head_that_was_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(2)
    EventChainHead.objects.update(sequence=1)

    write(1)  # the login that it belongs to goes on

    assert LoginEvent.objects.get(sequence=None).mac == ""
    assert [r.levelno for r in caplog.records] == [logging.CRITICAL]
    assert found() == "None: the head was changed, or was made with another key"


def test_another_key_goes_on_outside_and_says_so(settings: Settings) -> None:
    write(1)
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": KEY + "2"}
    write(1)

    assert found() == "None: the head was changed, or was made with another key"
    chain.restart()
    write(1)
    verdict = chain.verify()
    assert (verdict.rows, verdict.unprotected, verdict.found) == (1, 2, None)


def test_what_was_there_before_the_key_is_counted(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": None}
    write(2)
    assert [row.sequence for row in rows()] == [None, None]
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": KEY}
    write(1)

    verdict = chain.verify()

    assert (verdict.rows, verdict.unprotected, verdict.found) == (1, 2, None)


def test_a_transaction_that_is_rolled_back_leaves_no_gap() -> None:
    write(1)
    with transaction.atomic():
        write(1)
        transaction.set_rollback(True)
    write(1)

    assert [row.sequence for row in rows()] == [1, 2]
    assert found() is None


# --- pruning -----------------------------------------------------------------------


def prune(**options: Any) -> str:
    output = StringIO()
    call_command("oauth_login_prune", stdout=output, **options)
    return output.getvalue()


def age(days: float, time_machine: Any) -> None:
    time_machine.move_to(time.time() + days * 86400, tick=False)


def test_after_pruning_the_rest_is_whole(time_machine: Any) -> None:
    write(3)
    age(364.999, time_machine)
    assert "deleted 0 login events" in prune()
    write(2)
    age(0.002, time_machine)

    assert "would delete 3 login events" in prune(dry_run=True)
    assert LoginEvent.objects.count() == 5
    assert "deleted 3 login events" in prune()

    assert [row.sequence for row in rows()] == [4, 5]
    assert found() is None
    write(1)
    assert found() is None
    LoginEvent.objects.filter(sequence=4).delete()
    assert found() == "4: a row was removed"


def test_a_log_that_was_pruned_whole_goes_on(time_machine: Any) -> None:
    write(2)
    age(366, time_machine)
    prune()
    assert found() is None
    write(1)

    assert [row.sequence for row in rows()] == [3]
    assert found() is None


def test_pruning_goes_batch_by_batch(
    time_machine: Any, django_assert_num_queries: Any
) -> None:
    write(5)
    LoginEvent.objects.create(outcome="login", reference="AAAA-AAAA")
    old = timezone.now() + timedelta(seconds=1)

    assert [chain.prune(old, limit=2) for _ in range(4)] == [2, 2, 2, 0]
    assert chain.verify().head.startswith("5:")


def test_rows_whose_clocks_differed_wait_for_each_other(time_machine: Any) -> None:
    now = time.time()
    write(1)
    # Written by a server whose clock was ahead.
    time_machine.move_to(now + 3600, tick=False)
    write(1)
    time_machine.move_to(now, tick=False)
    write(1)

    assert chain.prune(moment(int(now) + 60), limit=9) == 1
    assert [row.sequence for row in rows()] == [2, 3]
    assert found() is None


def test_pruning_removes_no_traces(caplog: pytest.LogCaptureFixture) -> None:
    write(3)
    # An attacker who cannot delete a row could make it old, and wait.
    LoginEvent.objects.filter(sequence__lt=3).update(
        created_at=timezone.now() - timedelta(days=999)
    )
    before = timezone.now() - timedelta(days=365)

    assert chain.prune(before, limit=9) == 0
    assert [r.levelno for r in caplog.records] == [logging.CRITICAL]
    assert found() == "1: a row was changed, or put in"


def test_without_the_key_the_chain_is_not_pruned(settings: Settings) -> None:
    write(2)
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": None}

    assert chain.prune(timezone.now() + timedelta(days=1), limit=9) == 0
    assert LoginEvent.objects.count() == 2


# --- the command -------------------------------------------------------------------


def verify(**options: Any) -> str:
    output = StringIO()
    call_command("oauth_login_verify_log", stdout=output, **options)
    return output.getvalue()


def test_the_command_says_what_it_saw() -> None:
    write(2)
    output = verify()

    assert f"head: 2:{rows()[-1].mac}" in output
    assert "The chain is intact." in output


def test_the_command_names_the_first_break() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=2).delete()

    with pytest.raises(CommandError, match="BROKEN at 2: a row was removed."):
        verify()


def test_the_command_begins_anew_when_it_is_told_to() -> None:
    write(3)
    LoginEvent.objects.filter(sequence=2).delete()
    verify(restart=True)
    write(1)

    assert found() is None


@pytest.mark.parametrize("head", ["1", "1:ab", ":", f"x:{'0' * 64}"])
def test_the_command_takes_a_head_and_nothing_else(head: str) -> None:
    with pytest.raises(CommandError, match="a head is"):
        call_command("oauth_login_verify_log", f"--head={head}")


def test_the_command_needs_the_key(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": None}
    with pytest.raises(CommandError, match="no EVENT_LOG_KEY"):
        verify()


# --- several writers ---------------------------------------------------------------


def at_once(number: int, write_one: Callable[[], None]) -> list[BaseException]:
    barrier, failures = threading.Barrier(number), []

    def run() -> None:
        try:
            barrier.wait(30)
            write_one()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failures


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain() -> None:
    # On the server that OAUTH_LOGIN_TEST_DATABASE_URL names, else on SQLite.
    assert at_once(8, lambda: write(5)) == []

    assert [row.sequence for row in rows()] == list(range(1, 41))
    assert found() is None


@pytest.mark.django_db(transaction=True)
def test_verifying_and_pruning_disturb_nobody() -> None:
    write(20)
    verdicts = []
    turns = iter(range(100))

    def one() -> None:
        if next(turns) % 2:
            write(5)
        else:
            chain.prune(timezone.now(), limit=3)
            verdicts.append(chain.verify().found)

    assert at_once(6, one) == []
    assert verdicts == [None] * 3
    assert found() is None
