"""What the test provider can do wrong, by name."""

from __future__ import annotations
