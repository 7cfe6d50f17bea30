"""Form Post Basic RP: the basic profile again, and the answer is a form."""

from __future__ import annotations

import pytest

from tests.certification import test_basic
from tests.certification.conftest import RelyingParty

pytestmark = pytest.mark.django_db  # T12; pains 21

# pytest collects them from here, too, and here the mode is another one.
globals().update({n: t for n, t in vars(test_basic).items() if n.startswith("test_")})


@pytest.fixture
def response_mode() -> str | None:
    return "form_post"


def test_the_provider_is_asked_to_answer_by_a_form(rp: RelyingParty) -> None:
    # oidcc-client-test
    assert rp.asked()["response_mode"] == "form_post"
    assert rp.provider.authorize(rp.begin()).form is not None


def test_an_error_that_is_posted_is_a_page_that_says_what_to_do(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-form-post-error; T39; pains 50
    with rp.fault("authorization.interaction_required"):
        response = rp.log_in()

    rp.assert_refused(
        response,
        "authorization.interaction_required",
        status=403,
        detail={"received": "login_required"},
        token_requests=0,
    )
