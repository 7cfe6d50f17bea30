"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from oauth_login.conf.schema import PROVIDER_KEYS, SITE_KEYS

DOCS = Path(__file__).parent.parent / "docs"


def test_every_key_is_documented_with_its_default() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| `(.*?)` \|", (DOCS / "settings.md").read_text(), re.M
    )

    assert dict(rows) == {
        key: repr(default) for key, default in {**SITE_KEYS, **PROVIDER_KEYS}.items()
    }


def test_every_link_between_documents_leads_somewhere() -> None:
    for path in [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
