"""The setting OAUTH_LOGIN: read once, validated, and frozen."""

from __future__ import annotations

from oauth_login.conf.env import from_env as from_env
from oauth_login.conf.site import get_config as get_config
from oauth_login.conf.site import rules_with as rules_with
