"""The demo site's settings, with the base template of a site of another look."""

from __future__ import annotations

from pkce_project.settings import *  # noqa: F403 - all of them, and these
from pkce_project.settings import OAUTH_LOGIN, STATE_DIR, TEMPLATES

TEMPLATES[0]["DIRS"] = [STATE_DIR / "templates"]  # type: ignore[index] # a literal
OAUTH_LOGIN["SUPPORT_URL"] = "/help/"
