"""The site's rules about claims: pure functions, without Django and I/O."""

from __future__ import annotations
