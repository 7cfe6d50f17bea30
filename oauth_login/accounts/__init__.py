"""Finding, creating and linking the local user of a verified identity."""

from __future__ import annotations
