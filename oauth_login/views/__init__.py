"""The views, each in the module that bears its name, and what they share."""

from __future__ import annotations
