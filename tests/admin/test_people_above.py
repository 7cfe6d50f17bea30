"""Staff who may disconnect identities, and the people above them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from oauth_login.accounts.identities import create_identity
from oauth_login.models import Identity

pytestmark = pytest.mark.django_db

User = get_user_model()
LIST = "/admin/oauth_login/identity/"


def staff(name: str, *permissions: str, **fields: Any) -> Any:
    user = User.objects.create_user(name, is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    create_identity(
        user, provider="corp", issuer="https://id.example.com", subject=name
    )
    return user


MINE = ("view_identity", "delete_identity")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(staff("clerk", *MINE))
    return client


@pytest.mark.parametrize(
    ("fields", "permissions", "allowed"),
    [
        ({"is_superuser": True}, (), False),
        ({"is_superuser": True, "is_active": False}, (), False),
        ({}, ("change_user",), False),
        ({}, ("view_identity",), True),
        ({}, MINE, True),
        ({}, (), True),
    ],
)
@pytest.mark.parametrize("way", ["page", "action"])
def test_only_people_with_no_more_permissions_can_be_disconnected(
    browser: Client,
    way: str,
    fields: dict[str, Any],
    permissions: tuple[str, ...],
    allowed: bool,
) -> None:
    # T177
    victim = staff("victim", *permissions, **fields)
    identity = Identity.objects.get(user=victim)
    others = Identity.objects.exclude(pk=identity.pk)
    if way == "page":
        response = browser.post(f"{LIST}{identity.pk}/delete/", {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [identity.pk]}
        question = browser.post(LIST, data)
        refusal = b"users who have more permissions than you"
        assert (refusal in question.content) is not allowed
        response = browser.post(LIST, {**data, "post": "yes"})
    assert response.status_code == (302 if allowed else 403)
    assert Identity.objects.filter(pk=identity.pk).exists() is not allowed
    assert others.exists()


def test_one_above_is_enough_to_refuse_them_all(browser: Client) -> None:
    # T177
    staff("low")
    staff("root", is_superuser=True)
    keys = list(Identity.objects.values_list("pk", flat=True))
    data = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    assert browser.post(LIST, data).status_code == 403
    assert Identity.objects.count() == 3


def test_ones_own_and_a_superuser_may(browser: Client, admin_client: Client) -> None:
    # T177
    own = Identity.objects.get()
    staff("root", is_superuser=True)
    above = Identity.objects.exclude(pk=own.pk).get()
    for client, row in ((browser, own), (admin_client, above)):
        response = client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
        assert response.status_code == 302
