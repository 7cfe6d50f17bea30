"""The suite tries the same examples in every run, however busy the machine is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st


@given(st.none())
def test_a_property(nothing: None) -> None:
    """What the next test looks at."""


def test_properties_are_tried_as_the_profile_says() -> None:
    # They take what is in force when their module is read, not when they run.
    used = vars(test_a_property)["_hypothesis_internal_use_settings"]
    assert used.deadline == settings.get_profile("suite").deadline
    assert used.suppress_health_check
