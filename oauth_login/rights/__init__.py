"""Staff, superuser and groups: planned by the rules, applied, explained, rehearsed."""

from __future__ import annotations
