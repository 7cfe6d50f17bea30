"""A site with any preset can test its own login with the provider for tests."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import LoginEvent
from oauth_login.testing import log_in, stand_in
from tests.conf.presets.vendor import NAMES, Vendor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", NAMES)
def test_a_site_can_test_its_login(
    client: Client, settings: Settings, name: str
) -> None:
    # pains 38
    # Whom it lets in is the site's decision: here, all users.
    entry = {**Vendor(name).settings, "ALLOW_IF": [], "CREATE_USERS": True}
    settings.OAUTH_LOGIN = {"PROVIDERS": {name: entry}}
    with stand_in() as provider:
        response = log_in(client, provider, alias=name)
    assert (response.status_code, response["Location"]) == (302, "/home/")
    assert not LoginEvent.objects.exclude(code="").exists()


@pytest.mark.parametrize(
    ("person", "email"), [("alice", "alice@example.test"), ("dave", "")]
)
def test_an_address_there_is_verified_or_none(
    client: Client, settings: Settings, person: str, email: str
) -> None:
    # T94
    settings.OAUTH_LOGIN = {"PROVIDERS": {"github": Vendor("github").settings}}
    with stand_in() as provider:
        provider.people["dave"]["email_verified"] = False
        log_in(client, provider, person=person)
        assert provider.requests["emails"] == 1
    assert get_user_model().objects.get().email == email


@pytest.mark.parametrize("tenants", [["*"], ["tenant-b", "tenant-a"]])
def test_a_login_there_is_one_tenants(
    client: Client, settings: Settings, tenants: list[str]
) -> None:
    # T79
    entry = Vendor("entra_multitenant").settings | {"ALLOWED_TENANTS": tenants}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"entra": {**entry, "CREATE_USERS": True}}}
    with stand_in() as provider:
        assert provider.tenant in (*tenants, "00000000-0000-0000-0000-000000000001")
        assert log_in(client, provider).status_code == 302
        client.logout()
        provider.tenant = "another"
        refused = log_in(client, provider)
    # Its issuer is another tenant's still.
    assert (refused.status_code, LoginEvent.objects.first().code) == (
        502,
        "id_token.iss_mismatch",
    )
