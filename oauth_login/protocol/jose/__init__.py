"""Signed and encrypted tokens and the key sets behind them (RFC 7515 to 7519)."""

from __future__ import annotations
