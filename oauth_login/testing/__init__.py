"""A real OpenID provider for a site's tests, with faults by name. See docs/testing.md.

For tests alone: it logs anybody in who asks.
"""

from __future__ import annotations

from oauth_login.testing.doors import answer_over_responses, serve
from oauth_login.testing.login import log_in
from oauth_login.testing.provider import FakeProvider

__all__ = ["FakeProvider", "answer_over_responses", "log_in", "serve"]
