"""The views, each in the module of its own name, and what they share."""

from __future__ import annotations
