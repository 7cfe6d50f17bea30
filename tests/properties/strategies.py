"""What strangers send: JSON of every kind, near misses, and plain noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from oauth_login.errors import CODES, OAuthLoginError
from oauth_login.protocol.http import ProviderResponse

T = TypeVar("T")

# Lone surrogates, too: Python has them where the operating system had other bytes.
any_text = st.text(st.characters(), max_size=40)
text = st.text(max_size=40)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, -1, 2**31, 2**53, 10**30, 10**400, -(10**400)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
    ),
    max_leaves=8,
)
json_objects = st.dictionaries(text, json_values, max_size=5)

# Bytes that are nearly JSON, and so get further into a parser than noise does.
json_like = st.lists(
    st.sampled_from(
        [*'[]{}",:\\ 0159-+.eE', "\\u", "d800", "true", "null", "NaN", "Infinity"]
        + ['"sub"', '"a":1', "1e999", "\u00e9", "\n", "\ufeff", "\0"]
    ),
    max_size=30,
).map(lambda parts: "".join(parts).encode())
bodies = st.binary(max_size=60) | json_like

statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 429, 503])
media_types = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "application/jwt"]
    + ["application/problem+json", "application/jwk-set+json", "text/html", ""]
)
headers = st.builds(
    lambda kind, more: {**more, "content-type": kind},
    media_types,
    st.dictionaries(
        st.sampled_from(["content-encoding", "www-authenticate", "date"]), text
    ),
)


def changed(
    good: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    candidates: Mapping[str, st.SearchStrategy[Any]],
) -> st.SearchStrategy[dict[str, Any]]:
    """`good` with up to three members changed, added or (as `...`) taken away.

    `good` may be several documents, such as those of the corpus.
    """
    goods = st.sampled_from([good] if isinstance(good, Mapping) else good)
    one = st.sampled_from(sorted(candidates)).flatmap(
        lambda name: st.tuples(
            st.just(name), candidates[name] | json_values | st.just(...)
        )
    )
    return st.tuples(goods, st.lists(one, max_size=3)).map(
        lambda drawn: {
            name: value
            for name, value in {**drawn[0], **dict(drawn[1])}.items()
            if value is not ...
        }
    )


def response(body: bytes, status: int = 200, **headers: str) -> ProviderResponse:
    given = {"content_type": "application/json", **headers}
    named = {name.replace("_", "-"): value for name, value in given.items()}
    return ProviderResponse(status, named, body)


def judged(judge: Callable[[], T]) -> T | None:
    """What the judge says; None if it refuses with an error that is ours."""
    try:
        return judge()
    except OAuthLoginError as raised:
        error = raised
    assert type(error) is not OAuthLoginError
    assert error.code in CODES
    assert len(repr(error.detail)) < 10_000  # a log can hold it
    return None
