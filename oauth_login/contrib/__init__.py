"""Add-ons for single providers and other packages, imported only by name."""

from __future__ import annotations
