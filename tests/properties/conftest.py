"""How long the properties are tried: a moment in the suite, for long by `make fuzz`."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings

# What a person waits for and a server computes: a property that takes this long hangs.
DEADLINE = timedelta(seconds=5)
# Fixtures of ours hold nothing that an example changes.
UNFIT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# The same examples in every run: an unrelated change sees no new failure.
settings.register_profile(
    "suite",
    derandomize=True,
    max_examples=60,
    deadline=DEADLINE,
    database=None,
    suppress_health_check=UNFIT,
)
settings.register_profile(
    "fuzz", max_examples=200, deadline=DEADLINE, suppress_health_check=UNFIT
)

# Now: each property takes its settings when its module is read. Where `make fuzz` asks
# for the other profile, that happens after this.
settings.load_profile("suite")
