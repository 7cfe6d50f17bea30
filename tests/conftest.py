"""Fixtures of the whole suite come from the plugin that sites use, too."""

from __future__ import annotations

pytest_plugins = ["oauth_login.testing.pytest_plugin"]
