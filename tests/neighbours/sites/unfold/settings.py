"""Unfold in the place of the admin's own look."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
