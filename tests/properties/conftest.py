"""How long the properties are tried: a moment in the suite, for long by `make fuzz`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings

# What a person waits for and a server computes: a property that takes this long hangs.
DEADLINE = timedelta(seconds=5)
# Fixtures of ours hold nothing that an example changes.
UNFIT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# The same examples in every run: whoever changes something else sees no new failure.
settings.register_profile(
    "suite",
    derandomize=True,
    max_examples=60,
    deadline=DEADLINE,
    database=None,
    suppress_health_check=UNFIT,
)
settings.register_profile(
    "fuzz", max_examples=300, deadline=DEADLINE, suppress_health_check=UNFIT
)


@pytest.fixture(autouse=True, scope="session")
def _as_briefly_as_the_suite_is(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--hypothesis-profile") is None:
        settings.load_profile("suite")
