"""The site's rules over claims: pure functions, no Django, no I/O."""

from __future__ import annotations
