"""OpenID Connect logout: RP-initiated, back-channel and front-channel."""

from __future__ import annotations
