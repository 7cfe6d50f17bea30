"""The sessions of signed-in users: how they begin, what is known, how they end."""

from __future__ import annotations
