"""The other end: one provider, its cached documents, and the only socket."""

from __future__ import annotations
