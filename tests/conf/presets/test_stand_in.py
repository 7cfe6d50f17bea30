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


@pytest.mark.parametrize(
    ("name", "acr_values"),
    [
        ("login_gov", ["urn:acr.login.gov:verified"]),
        ("franceconnect", ["eidas2"]),
        ("mozilla_accounts", ["AAL2"]),
    ],
)
@pytest.mark.parametrize(
    "fault", ["id_token.acr_mismatch", "id_token.acr_mismatch/missing"]
)
def test_an_order_of_classes_opens_no_door(
    client: Client, settings: Settings, name: str, acr_values: list[str], fault: str
) -> None:
    # T27
    entry = {**Vendor(name).settings, "ACR_VALUES": acr_values}
    settings.OAUTH_LOGIN = {"PROVIDERS": {name: entry}}
    with stand_in() as provider:
        assert log_in(client, provider, alias=name).status_code == 302
        client.logout()
        with provider.fault(fault):
            refused = log_in(client, provider, alias=name)
    assert (refused.status_code, LoginEvent.objects.first().code) == (
        502,
        "id_token.acr_mismatch",
    )


@pytest.mark.parametrize("name", ["github", "x", "bitbucket", "atlassian"])
@pytest.mark.parametrize(
    "fault",
    ["callback.iss_mismatch", "callback.iss_mismatch/slash", "userinfo.refused"],
)
def test_no_switch_of_plain_oauth_opens_a_door(
    client: Client, settings: Settings, name: str, fault: str
) -> None:
    # T35, T61
    settings.OAUTH_LOGIN = {"PROVIDERS": {name: Vendor(name).settings}}
    with stand_in() as provider, provider.fault(fault):
        log_in(client, provider, alias=name)
    assert LoginEvent.objects.first().code == fault.partition("/")[0]
    assert not get_user_model().objects.exists()
