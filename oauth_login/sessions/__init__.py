"""The sessions of signed-in users: how they begin, what they hold, how they end."""

from __future__ import annotations
