"""What every page must pass: axe without a violation, and a look at it."""

from __future__ import annotations

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCREENSHOTS = Path(__file__).parents[2] / "e2e-screenshots"
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
LOOKS: dict[str, tuple[str, int]] = {
    "light": ("light", 900),
    "dark": ("dark", 900),
    "320": ("light", 320),
}


def check_page(page: Page, name: str) -> None:
    """Axe and a screenshot of the page as it stands, in each of its looks."""
    # First: axe and the screenshots put things into the page.
    _assert_no_script_or_style_inline(page.content())
    size = page.viewport_size
    for look, (scheme, width) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # a literal
        page.set_viewport_size({"width": width, "height": 760})
        settle(page)
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}_{look}.png", full_page=True)
        results = Axe().run(page, options=WCAG)
        assert results.violations_count == 0, results.generate_report()
        _assert_nothing_is_cut_off(page, name, look)
    page.emulate_media(color_scheme=None)
    if size:
        page.set_viewport_size(size)


def settle(page: Page) -> None:
    """Wait until colours are what they will be: the admin's links change slowly."""
    page.evaluate(
        "() => new Promise(requestAnimationFrame).then("
        "() => Promise.all(document.getAnimations().map(a => a.finished)))"
    )


def _assert_nothing_is_cut_off(page: Page, name: str, look: str) -> None:
    # WCAG 2.2, 1.4.10: no scrolling in two directions at 320 CSS pixels.
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0, f"{name} ({look}) is {overflow} px too wide"


def _assert_no_script_or_style_inline(html: str) -> None:
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)
