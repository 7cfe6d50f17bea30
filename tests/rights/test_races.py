"""Several processes change the rights of one user at the same moment (T149).

Processes and not threads: each has its own connection, cache and memory, as in
production. On SQLite with the suite, and on the servers of `.ci/databases`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from oauth_login.accounts.identities import create_identity
from oauth_login.models import GrantedRight, Identity

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
ROUNDS = 25
RULES = {
    "STAFF_IF": {"groups": "ops"},
    "SUPERUSER_IF": {"groups": "admins"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"ops": "Editors"}},
}
Race = Callable[[int], list[str]]


@pytest.fixture
def race(tmp_path: Path) -> Iterator[Callable[..., Race]]:
    """`race(["one", "ops"], …)` starts a process for each; call it for each round."""
    database = {
        key: value
        for key, value in connection.settings_dict.items()
        if key not in ("TEST", "TIME_ZONE")
    }
    database["NAME"] = str(database["NAME"])
    entry = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site", **RULES}
    site = {"PROVIDERS": {"corp": entry}}
    (tmp_path / "race_settings.py").write_text(
        "import json\nfrom tests.settings import *\n"
        f"DATABASES = {{'default': json.loads({json.dumps(database)!r})}}\n"
        f"OAUTH_LOGIN = json.loads({json.dumps(site)!r})\n"
    )
    started: list[subprocess.Popen[str]] = []
    variables = {k: v for k, v in os.environ.items() if not k.startswith("COV")}

    def begin(*people: list[str]) -> Race:
        processes = [
            subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "tests.rights.race", *person],
                cwd=Path(__file__).parents[2],
                env={
                    **variables,
                    "PYTHONPATH": f"{tmp_path}{os.pathsep}.",
                    "DJANGO_SETTINGS_MODULE": "race_settings",
                },
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for person in people
        ]
        started.extend(processes)
        assert [answer(process) for process in processes] == ["ready"] * len(people)

        def run(number: int) -> list[str]:
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(f"{number}\n")
                process.stdin.flush()
            return [answer(process) for process in processes]

        return run

    yield begin
    for process in started:
        process.communicate(timeout=20)


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def user_with(number: int, *subjects: str, rights: tuple[str, ...]) -> Any:
    """A user with an identity for each subject, each of which gave the same rights."""
    user = User.objects.create_user(f"user{number}", is_staff="staff" in rights)
    for subject in subjects:
        identity = create_identity(
            user,
            provider="corp",
            issuer="https://id.example.com",
            subject=f"{subject}-{number}",
        )
        for right in rights:
            GrantedRight.objects.create(user=user, identity=identity, kind=right)
    return user


def test_a_right_that_two_identities_lose_at_once_is_gone(
    race: Callable[..., Race],
) -> None:
    # T149: each saw the grant of the other one, and the flag stayed for good
    run = race(["one"], ["two"])
    for number in range(ROUNDS):
        user = user_with(number, "one", "two", rights=("staff",))
        assert run(number) == [user.username] * 2
        user.refresh_from_db()
        assert not user.is_staff
        assert not GrantedRight.objects.exists()


def test_a_right_that_one_gives_and_another_loses_has_its_record(
    race: Callable[..., Race],
) -> None:
    # T149: whichever is first
    run = race(["one", "ops"], ["two"])
    for number in range(ROUNDS):
        user = user_with(number, "one", "two", rights=("staff",))
        assert run(number) == [user.username] * 2
        user.refresh_from_db()
        records = GrantedRight.objects.filter(user=user, kind="staff")
        assert user.is_staff is records.exists()
        assert user.is_staff


def test_of_the_last_superusers_one_stays(race: Callable[..., Race]) -> None:
    # T149: three people who lose the flag at once
    run = race(["one"], ["two"], ["three"])
    for number in range(ROUNDS):
        for place, subject in enumerate(("one", "two", "three")):
            identity = Identity.objects.filter(subject=f"{subject}-{number}")
            assert not identity.exists()
            user = User.objects.create_user(
                f"root{number}-{place}", is_staff=True, is_superuser=True
            )
            row = create_identity(
                user,
                provider="corp",
                issuer="https://id.example.com",
                subject=f"{subject}-{number}",
            )
            for kind in ("staff", "superuser"):
                GrantedRight.objects.create(user=user, identity=row, kind=kind)
        answers = run(number)
        assert not [a for a in answers if not a.startswith("root")], answers
        assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
        User.objects.all().delete()


def test_two_first_logins_of_one_person_are_one_user(
    race: Callable[..., Race],
) -> None:
    # T11
    run = race(["same", "ops"], ["same", "ops"], ["same", "ops"])
    for number in range(ROUNDS):
        answers = run(number)
        assert len(set(answers)) == 1
        assert Identity.objects.filter(subject=f"same-{number}").count() == 1
        assert not answers[0].startswith("account."), answers
