"""A login from the first click to the user, through every room of the house."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from oauth_login.models import Identity, LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = [pytest.mark.django_db, pytest.mark.user_models]

LogIn = Callable[..., Any]


def test_a_person_logs_in_and_gets_where_they_wanted(
    client: Client, oauth_log_in: LogIn
) -> None:
    response = oauth_log_in(client, next="/private/?a=1&b=2")

    assert (response.status_code, response["Location"]) == (302, "/private/?a=1&b=2")
    assert client.get("/private/").status_code == 200


def test_a_new_user_has_a_name_no_rights_and_no_password(
    client: Client, oauth_log_in: LogIn
) -> None:
    oauth_log_in(client)

    user = get_user_model().objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.has_usable_password()  # T101
    assert Identity.objects.get().subject == "alice-0001"
    assert LoginEvent.objects.get().outcome == "login"


def test_a_returning_login_makes_one_request(
    oauth_log_in: LogIn, oauth_provider: FakeProvider
) -> None:
    oauth_log_in(Client())
    oauth_provider.requests.clear()

    oauth_log_in(Client())

    assert oauth_provider.requests == {"authorize": 1, "token": 1}
    assert get_user_model().objects.count() == 1
