"""Sentences say who does what: vague words stay rare in sources and documents."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
# For each of these there is a word that says who it is: the user, the administrator,
# the caller, another user, an attacker.
VAGUE = {
    "anybody",
    "everybody",
    "nobody",
    "somebody",
    "whoever",
    "whomever",
    "whosoever",
}
LIMIT = 3  # in 10,000 words
WORD = re.compile(r"[A-Za-z]+(?:[’'][a-z]+)?")
STRINGS = {
    tokenize.STRING,
    getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING),
    tokenize.COMMENT,
}


def prose_of_python(source: str) -> Iterator[str]:
    """Comments, docstrings and other strings; no names."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in STRINGS:
            yield token.string


def prose_of_template(source: str) -> Iterator[str]:
    """The text between tags, and the strings and comments inside them."""
    yield re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>", " ", source, flags=re.DOTALL)
    for tag in re.findall(r"{%.*?%}", source):
        yield from re.findall(r'"([^"]*)"', tag)


def prose(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        text = path.read_text()
        if path.suffix == ".py":
            yield from ((path, part) for part in prose_of_python(text))
        elif path.suffix == ".md":
            yield path, text
        else:
            yield from ((path, part) for part in prose_of_template(text))


def vague_words(parts: Iterable[tuple[Path, str]]) -> tuple[int, Counter[str]]:
    """How many words there are, and which vague ones, with their files."""
    number = 0
    found: Counter[str] = Counter()
    for path, part in parts:
        for word in WORD.findall(part):
            number += 1
            name = re.sub("[’'].*", "", word).lower()
            if name in VAGUE:
                found[f"{path.relative_to(PROJECT)}: {name}"] += 1
    return number, found


def files(*patterns: str) -> list[Path]:
    return [path for pattern in patterns for path in sorted(PROJECT.glob(pattern))]


@pytest.mark.parametrize(
    "patterns",
    [
        ("oauth_login/**/*.py", "pkce_project/**/*.py"),
        (
            "oauth_login/templates/**/*.html",
            "oauth_login/templates/**/*.txt",
            "templates/**/*.html",
        ),
        ("docs/**/*.md", "*.md"),
    ],
    ids=["sources", "templates", "documents"],
)
def test_vague_words_are_rare(patterns: tuple[str, ...]) -> None:
    number, found = vague_words(prose(files(*patterns)))

    assert number > 500
    assert found.total() * 10_000 <= LIMIT * number, found.most_common()


def test_vague_words_are_rare_in_tests() -> None:
    # Their data may name a user "nobody"; comments and docstrings have better words.
    parts = [
        (path, part)
        for path, part in prose(files("tests/**/*.py"))
        if path != Path(__file__) and part.startswith(("#", '"""'))
    ]
    number, found = vague_words(parts)

    assert number > 5000
    assert found.total() * 10_000 <= LIMIT * number, found.most_common()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('"""Whoever asks."""', 1),
        ("# nobody's, and Somebody's\n", 2),
        ('x = f"{a} anybody {b}"', 1),
        ("nobody = somebody\n", 0),
        ("# somebodys, someone, anyone who can sign in\n", 0),
    ],
)
def test_a_vague_word_is_found(source: str, words: int) -> None:
    parts = ((PROJECT / "x.py", part) for part in prose_of_python(source))

    assert vague_words(parts)[1].total() == words


def test_a_vague_word_of_a_template_is_found() -> None:
    source = (
        '{% if nobody %}<p class="nobody">Somebody</p>{% endif %}'
        '{% translate "Whoever" context "x" %}'
    )
    parts = ((PROJECT / "x.html", part) for part in prose_of_template(source))

    assert vague_words(parts)[1] == {"x.html: somebody": 1, "x.html: whoever": 1}
