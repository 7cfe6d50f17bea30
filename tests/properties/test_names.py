"""A username out of any claims: always one, always a valid one, never a taken one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from oauth_login.accounts.usernames import new_username, username_from_claims
from oauth_login.conf.schema import ProviderConfig
from oauth_login.flow import VerifiedIdentity
from oauth_login.protocol.client.registration import Client
from tests.properties.strategies import any_text, json_values

FIELD = User._meta.get_field("username")
TAKEN = ("alice", "Bob", "carol", "carol-2", "user-", "admin")

said = (
    any_text
    | json_values
    | st.text(min_size=200, max_size=300)
    | st.sampled_from(["alice", "ALICE", "bob", "carol", "\uff21lice", "\ufdfa" * 99])
    | st.sampled_from(["a" * 150, "a" * 255, "--", ".", "a\0b", "\u212a", "\u0130"])
)
identities = st.builds(
    lambda claims, subject: VerifiedIdentity(
        provider="corp",
        issuer="https://id.example.com",
        subject=subject,
        claims=claims,
        claims_complete=True,
    ),
    st.dictionaries(
        st.sampled_from(["preferred_username", "email", "name"]), said | st.lists(said)
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
ENTRY = ProviderConfig(
    alias="corp",
    label="Corp",
    issuer="https://id.example.com",
    client=Client(client_id="site"),
    username_from=("preferred_username", "name", "email"),
    trust_email="managed",
)


@given(identities)
def test_every_person_has_a_wish_that_the_field_allows(
    identity: VerifiedIdentity,
) -> None:
    # T92, T93, T106
    name = username_from_claims(FIELD, identity, entry=ENTRY)

    FIELD.run_validators(name)
    assert 1 <= len(name) <= 146
    assert re.fullmatch(r"[\w.@+-]+", name)
    assert name == username_from_claims(FIELD, identity, entry=ENTRY)


@given(identities, st.integers(20, 60))
def test_a_shorter_field_has_shorter_wishes(
    identity: VerifiedIdentity, max_length: int
) -> None:
    field: Any = models.CharField(max_length=max_length)
    name = username_from_claims(field, identity, entry=ENTRY)
    assert 1 <= len(name) <= max_length - 4


@pytest.mark.django_db
@pytest.mark.skipif(get_user_model() is not User, reason="this model has no such names")
@given(identities)
def test_a_new_name_is_free_also_in_other_capitals(identity: VerifiedIdentity) -> None:
    # T89, T92
    for name in TAKEN:
        User.objects.get_or_create(username=name)

    name = new_username(User, FIELD, identity, entry=ENTRY)

    FIELD.run_validators(name)
    assert len(name) <= 150
    assert name.lower() not in {taken.lower() for taken in TAKEN}
    assert not User.objects.filter(username__iexact=name).exists()
