"""What a login keeps between redirect and callback, and what requires a new login."""

from __future__ import annotations
