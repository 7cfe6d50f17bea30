"""This site as an OAuth client: registration, authentication, keys, PKCE."""

from __future__ import annotations
