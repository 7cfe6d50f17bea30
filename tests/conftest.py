"""What the whole suite needs: the fixtures that sites use too, and one process each."""

from __future__ import annotations

import os

import pytest

from oauth_login.testing import pytest_plugin


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """A failure that an earlier test has caused must not count in this one."""
    from django.core.cache import caches

    from oauth_login.audit import counters

    caches["default"].clear()
    counters._written.clear()


def pytest_configure(config: pytest.Config) -> None:
    # Where the package is installed, pytest has found the plugin by its entry point.
    if not config.pluginmanager.is_registered(pytest_plugin):
        config.pluginmanager.register(pytest_plugin, "oauth_login")
    # tests/run.py measures the coverage of pytest-xdist's workers, which are processes
    # that the first one starts. What a test starts is not measured: it takes time, and
    # coverage's warnings would be in the output that the test looks at.
    starts_workers = config.getoption("numprocesses", None)
    if hasattr(config, "workerinput") or not starts_workers:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
