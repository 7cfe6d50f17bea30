"""Settings of every kind: problems that are named, never an exception."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.checks import check_settings
from oauth_login.conf import get_config
from oauth_login.conf.schema import PROVIDER_KEYS, SITE_KEYS, Config
from oauth_login.conf.validation import Problem, Section
from tests.properties.strategies import any_text

words = st.sampled_from(
    ["corp", "google", "openid", "auto", "https://id.example.com", "https://[", "http:"]
    + ["http://localhost:1", "RS256", "HS256", "none", "{tenantid}", "*", "query"]
    + ["https://login.example.com/{tenantid}/v2.0", "a" * 5000, "\udce9", "\0", ""]
    + ["client_secret_jwt", "private_key_jwt", "managed", "mirror", "groups", "sub"]
)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | any_text
    | words
    | st.binary(max_size=5)
    | st.sampled_from([Path("/nowhere"), str, len, object(), {1, 2}])
)
keys = words | any_text | st.integers() | st.none() | st.binary(max_size=3)
anything = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=5,
)
entries = st.dictionaries(
    st.sampled_from([*PROVIDER_KEYS, "ISUER", "client_id"]) | keys, anything, max_size=6
).map(
    lambda entry: {
        "ISSUER": "https://id.example.com",
        "CLIENT_ID": "site",
        "CLIENT_SECRET": "secret",
        **entry,
    }
)
sites = anything | st.builds(
    lambda site, providers: {**site, "PROVIDERS": providers},
    st.dictionaries(st.sampled_from([*SITE_KEYS, "PROVIDER"]) | keys, anything),
    st.dictionaries(st.sampled_from(["corp", "Corp"]) | keys, entries, max_size=2),
)


def config_of(setting: object) -> Config:
    with override_settings(OAUTH_LOGIN=setting):
        return get_config()


def of_one(**entry: Any) -> dict[str, Any]:
    given = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site", **entry}
    return {"PROVIDERS": {"corp": given}}


@given(sites)
@example({"BASE_URL": "https://["})
@example(of_one(CLIENT_CERT="-----BEGIN CERTIFICATE-----\n" + "a" * 5000))
@example(of_one(CLIENT_KEYS=["a" * 5000]))
@example(of_one(AUTH_PARAMS={"prompt": ["none"]}))
@example(of_one(AUTH_PARAMS={"prompt": "login none"}))
@example(of_one(AUTH_PARAMS={"resource": "\udce9"}))
@example(of_one(CLIENT_SECRET="\udce9" * 40, SIGNING_ALGS=["HS256"]))
def test_any_setting_is_read_and_what_is_wrong_with_it_has_a_name(
    setting: object,
) -> None:
    # T131
    config = config_of(setting)

    assert isinstance(config, Config)
    for problem in config.problems:
        assert problem.id[0] in "EW"
        assert problem.message.endswith(".")
        assert problem.provider is None or problem.provider in config.providers
    for alias, provider in config.providers.items():
        assert provider.alias == alias
        if config.is_usable(alias):
            assert provider.issuer
            assert provider.client.client_id
            assert provider.client.client_secret.encode() is not None
            assert "none" not in provider.client.id_token_signing_algs
            params = provider.client.authorization_params
            prompt = params.get("prompt", "")
            words = prompt if isinstance(prompt, tuple) else (prompt,)
            assert "none" not in " ".join(words).split()
            assert urlencode(params, doseq=True) is not None
    with override_settings(OAUTH_LOGIN=setting):
        assert len(check_settings()) >= len(config.problems)


looks: list[Callable[[Section], object]] = [
    lambda section: section.text("KEY"),
    lambda section: section.choice("KEY", ("one", "two")),
    lambda section: section.number("KEY", 1, 60),
    lambda section: section.strings("KEY"),
    lambda section: section.of_type("KEY", bool, default=True),
    lambda section: section.of_type("KEY", dict, default={}),
    lambda section: section.within("KEY", {"INNER": None}).text("INNER"),
]


@pytest.mark.parametrize("look", looks)
@given(anything)
def test_a_look_at_a_key_gives_its_type_or_a_problem(
    look: Callable[[Section], object], value: object
) -> None:
    problems: list[Problem] = []
    section = Section({"KEY": value}, {"KEY": None}, problems.append, "OAUTH_LOGIN")
    seen = look(section)
    assert seen in (None, "", ()) or isinstance(seen, str | int | tuple | bool | dict)
    good = value == seen or (isinstance(value, list) and tuple(value) == seen)
    assert problems or good or seen is None
