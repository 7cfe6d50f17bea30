"""The rows of the version before, under the columns of this one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = ("oauth_login", "0007_session_end"), ("oauth_login", "0008_rights")


@pytest.fixture(autouse=True)
def _all_migrations_again() -> Iterator[None]:
    """Tests that run later need the newest tables, whatever happened in this one."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def migrate(target: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return executor.loader.project_state([target]).apps


def test_grants_get_their_user_and_the_key_of_their_group() -> None:
    # T150
    old = migrate(BEFORE)
    try:
        users = old.get_model("auth", "User").objects
        identities = old.get_model("oauth_login", "Identity").objects
        rights = old.get_model("oauth_login", "GrantedRight").objects
        group = old.get_model("auth", "Group").objects.create(name="Editors")
        for number in range(3):
            user = users.create(username=f"u{number}")
            row = identities.create(
                user=user, key=f"k{number}", issuer="i", subject="s", provider="corp"
            )
            for kind, name in (("staff", ""), ("group", "Editors"), ("group", "Gone")):
                rights.create(identity=row, kind=kind, group=name)
    finally:
        new = migrate(AFTER)
    rows = list(new.get_model("oauth_login", "GrantedRight").objects.all())
    assert len(rows) == 9
    for row in rows:
        assert row.user_id == row.identity.user_id
        expected = group.pk if row.group == "Editors" else None
        assert row.django_group_id == expected
    for row in new.get_model("oauth_login", "Identity").objects.all():
        marks = (row.made_user, row.provisional_username, row.unconfirmed_since)
        assert marks == (False, False, None)
