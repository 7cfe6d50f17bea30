"""What a login keeps between the redirect and the callback, and what starts one."""

from __future__ import annotations
