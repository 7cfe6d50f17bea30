"""Login events: a row and a log record per outcome, and the chain that seals them."""

from __future__ import annotations
