"""Nothing of the suite that concerns us is left out, and what is named exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.certification.modules import (
    EVERYTHING,
    FAPI,
    FAPI1,
    FAPI2,
    MODULES,
    OIDC,
    OIDC_PREFIX,
    PROFILES,
    WITHOUT_BROWSER,
    Reason,
)

HERE = Path(__file__).parent
# How many modules of each family the suite has.
SIZES = {"oidcc-": 57, "fapi2-security-profile-": 65, "fapi1-": 28}
# The reasons that a module may have which a profile of ours runs.
EITHER_WAY = {Reason.HEADER}


@cache
def named_tests(name: str) -> dict[str, str]:
    """The tests of one profile's file, with their source."""
    text = (HERE / f"test_{name}.py").read_text()
    return {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("prefix", "size"), SIZES.items())
def test_every_module_of_the_suite_has_an_answer(prefix: str, size: int) -> None:
    assert len([name for name in MODULES if name.startswith(prefix)]) == size


def test_every_answer_belongs_to_a_family() -> None:
    assert sum(SIZES.values()) == len(MODULES)
    assert not [name for name in MODULES if name.startswith(tuple(WITHOUT_BROWSER))]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_module_of_a_profile_has_a_test(profile: str) -> None:
    reasons = {
        name: OIDC[name]
        for name in PROFILES[profile]
        if not isinstance(OIDC[name], str) and OIDC[name] not in EITHER_WAY
    }

    assert reasons == {}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_a_file_of_its_own(profile: str) -> None:
    """The form post profile runs the basic one's tests, in its own mode."""
    files = {profile, "basic"} if profile == "form_post" else {profile}
    for module in PROFILES[profile]:
        # `none` is a module of two profiles.
        named = [
            test
            for name in files
            for test, source in named_tests(name).items()
            if OIDC_PREFIX + module in names_in(source)
        ]
        assert named or OIDC[module] in EITHER_WAY, module


def test_what_else_concerns_the_code_flow_has_a_test() -> None:
    assert not [name for name in EVERYTHING if not isinstance(OIDC[name], str)]


def test_the_test_of_each_module_exists_and_names_it() -> None:
    answers: list[tuple[str, str | Reason]] = [
        *((OIDC_PREFIX + name, answer) for name, answer in OIDC.items()),
        *FAPI.items(),
        *FAPI2.items(),
        *((name.removeprefix("-"), answer) for name, answer in FAPI1.items() if name),
    ]
    assert len(answers) > 100
    assert [
        (module, answer)
        for module, answer in answers
        if not _is_answered(module, answer)
    ] == []


def _is_answered(module: str, answer: str | Reason) -> bool:
    """By a reason, or by a test whose comments name the module."""
    if isinstance(answer, Reason):
        return bool(answer.value)
    name, _, test = answer.partition("::")
    named = names_in(named_tests(name).get(test, ""))
    return not named.isdisjoint({module, f"{OIDC_PREFIX}-{module}"})


def test_the_form_post_profile_runs_the_whole_basic_one() -> None:
    from tests.certification import test_form_post

    assert named_tests("basic").keys() <= vars(test_form_post).keys()


def names_in(source: str) -> set[str]:
    """The words of a test's comments."""
    comments = (line.partition("#")[2] for line in source.splitlines())
    return {word.strip(";:.,") for line in comments for word in line.split()}
