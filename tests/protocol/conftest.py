"""Fixtures for keys."""

from __future__ import annotations

from functools import partial

import pytest
from cryptography.hazmat.primitives import serialization


@pytest.fixture
def without_key_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """cryptography loads large RSA keys without testing their primes.

    The test takes seconds for a key of 8192 bits, and says nothing about our limits.
    """
    monkeypatch.setattr(
        serialization,
        "load_pem_private_key",
        partial(
            serialization.load_pem_private_key, unsafe_skip_rsa_key_validation=True
        ),
    )
