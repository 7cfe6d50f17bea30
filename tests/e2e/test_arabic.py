"""The pages from right to left, as a browser that asks for Arabic has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Demo, log_in_at_provider
from tests.e2e.page_checks import check_page


@pytest.fixture
def arabic(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 760}, locale="ar")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def left_edge(of: Locator) -> float:
    box = of.bounding_box()
    assert box
    return box["x"]


def test_arabic_pages_run_from_right_to_left(arabic: Page, lax: Demo) -> None:
    page = arabic
    page.goto(f"{lax.site}/reports/")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.get_by_role("heading", level=1)).to_have_text("تسجيل الدخول")
    button = page.get_by_role("link", name="المتابعة باستخدام")
    initial = button.locator(".ol-initial")
    assert left_edge(initial) > left_edge(button.locator("span").last)
    check_page(page, "ar_login")

    page.goto(f"{lax.site}/auth/demo/callback/?code=a&state=b")
    expect(page.get_by_role("heading", level=1)).to_have_text("تعذّر تسجيل دخولك")
    check_page(page, "ar_error")


def test_a_path_in_an_arabic_sentence_is_not_turned_around(
    arabic: Page, lax: Demo
) -> None:
    page = arabic
    page.goto(f"{lax.site}/reports/")
    # Where each of its letters is: the first slash at the left, the last at the right.
    places = page.locator("main strong").evaluate(
        """strong => {
            const text = strong.firstChild;
            return Array.from(text.data, (letter, index) => {
                const range = document.createRange();
                range.setStart(text, index);
                range.setEnd(text, index + 1);
                return [letter, range.getBoundingClientRect().x];
            }).filter(([letter]) => letter < "\\u2000");
        }"""
    )

    assert "".join(letter for letter, _ in places) == "/reports/"
    assert [x for _, x in places] == sorted(x for _, x in places)


def test_the_arabic_account_page_and_lists(arabic: Page, lax: Demo) -> None:
    page = arabic
    page.goto(f"{lax.site}/auth/demo/login/?next=/auth/account/")
    log_in_at_provider(page, "alice", lax.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("تسجيل الدخول والأمان")
    check_page(page, "ar_account")

    page.goto(f"{lax.site}/admin/oauth_login/loginevent/")
    chart = page.get_by_role("img", name="عمليات تسجيل الدخول في اليوم، آخر 30 يومًا")
    expect(chart).to_be_visible()
    # Today is the last day, and that is at the left.
    middle = chart.evaluate("svg => svg.getBoundingClientRect().width / 2")
    assert left_edge(chart.locator("rect").first) - left_edge(chart) < middle
    check_page(page, "ar_admin_events")
