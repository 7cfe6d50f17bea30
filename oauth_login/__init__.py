"""Log people into a Django site through an OpenID Connect or OAuth 2.0 provider."""

from __future__ import annotations

__version__ = "0.1.0"
