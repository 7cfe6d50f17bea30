"""Booleans as some providers write them, and nothing that merely looks true."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conf.presets.conftest import Site

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]


@pytest.mark.parametrize(
    ("switches", "value", "staff"),
    [
        (("string_booleans",), "true", True),
        (("string_booleans",), True, True),
        (("string_booleans",), "false", False),
        (("string_booleans",), "TRUE", False),
        (("string_booleans",), "True", False),
        (("string_booleans",), " true", False),
        (("string_booleans",), "1", False),
        (("string_booleans",), 1, False),
        (("string_booleans",), ["true"], False),
        ((), "true", False),
        ((), True, True),
        ((), "false", False),
    ],
)
@pytest.mark.parametrize("name", ["apple", "cognito"])
def test_two_words_are_booleans_where_a_provider_writes_them(
    site_of: SiteOf, name: str, switches: tuple[str, ...], value: object, staff: bool
) -> None:
    # T94; pains 15
    site = site_of(
        name, DEVIATIONS=switches, STAFF_IF={"email_domain": ["example.com"]}
    )
    site.claims(email_verified=value)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)


@pytest.mark.parametrize("preset", ["entra", "entra_multitenant"])
@pytest.mark.parametrize("claim", ["xms_edov", "email_verified"])
@pytest.mark.parametrize(
    ("value", "email", "staff"),
    [
        *((yes, "alice@corp.example", True) for yes in ("1", "true", 1, True)),
        *((no, "", False) for no in ("0", "false", 0, False)),
    ],
)
def test_entra_writes_a_boolean_in_several_forms(
    site_of: SiteOf, preset: str, claim: str, value: object, email: str, staff: bool
) -> None:
    # T94; pains 15
    site = site_of(preset, STAFF_IF={"email_domain": ["corp.example"]})
    site.claims(**{claim: value})
    site.log_in()
    assert (site.code, site.user.email, site.user.is_staff) == ("", email, staff)


@pytest.mark.parametrize("value", ["2", 2, -1, "yes", "TRUE", "", 1.0, ["1"], {}])
def test_what_is_no_boolean_even_there_verifies_nothing(
    site_of: SiteOf, value: object
) -> None:
    # T94
    site = site_of("entra", STAFF_IF={"email_domain": ["corp.example"]})
    site.claims(xms_edov=value)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", False)


@pytest.mark.parametrize("value", ["1", 1, "true"])
@pytest.mark.parametrize("name", ["auth0", "keycloak", "google"])
def test_without_the_switches_no_form_but_true_is_true(
    site_of: SiteOf, name: str, value: object
) -> None:
    # T94
    site = site_of(name, STAFF_IF={"email_domain": ["corp.example"]}, ALLOW_IF=())
    site.set(STAFF_IF={"email_domain": ["corp.example"]}, CREATE_USERS=True)
    site.claims(email="alice@corp.example", email_verified=value)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", False)


@pytest.mark.parametrize(
    ("switches", "value", "staff"),
    [
        (("string_booleans",), "true", True),
        (("string_booleans",), True, True),
        (("string_booleans",), "false", False),
        (("string_booleans",), "1", False),
        ((), "true", False),
        ((), True, True),
    ],
)
def test_linkedin_writes_a_boolean_as_a_word(
    site_of: SiteOf, switches: tuple[str, ...], value: object, staff: bool
) -> None:
    # T94; pains 15
    site = site_of(
        "linkedin", DEVIATIONS=switches, STAFF_IF={"email_domain": ["example.com"]}
    )
    site.claims(email_verified=value)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)


def test_an_address_that_a_word_says_is_unverified_is_not_stored(
    site_of: SiteOf,
) -> None:
    # T94; pains 15
    site = site_of("cognito")
    site.vendor.userinfo["email_verified"] = "false"
    site.claims(email=None, email_verified=None)
    site.log_in()
    assert site.vendor.requests["userinfo"] == 1
    assert (site.code, site.user.email) == ("", "")
