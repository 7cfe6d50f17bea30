"""A provider: its requests, its cached documents, and the only network access."""

from __future__ import annotations
