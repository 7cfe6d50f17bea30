"""Every text of ours in every language that we ship, and none that is not ours."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import Engine
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

APP = Path(__file__).parent.parent / "oauth_login"
LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "pt_BR")
# How many forms a number has in each, as in Django's own catalogues.
PLURAL_FORMS = {"ar": 6, "es": 3, "ja": 1}
FUNCTIONS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
# Marks that keep what is inside them in its own direction: U+2068 … U+2069.
ISOLATED = re.compile("\u2068%\\(\\w+\\)s\u2069")

Text = tuple[str, str | None]


def texts_of_code() -> Iterator[Text]:
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in FUNCTIONS
            ):
                said = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                assert said, f"{path}: a text that is computed is in no catalogue"
                plural = said[1] if node.func.id.startswith("ng") else None
                yield said[0], plural


def texts_of_templates() -> Iterator[Text]:
    engine = Engine.get_default()
    for path in sorted((APP / "templates").rglob("*")):
        if path.is_file():
            nodes = engine.from_string(path.read_text()).nodelist
            for node in nodes.get_nodes_by_type(Node):
                if isinstance(node, TranslateNode):
                    yield str(node.filter_expression.var.literal).strip("\"'"), None
                elif isinstance(node, BlockTranslateNode):
                    singular, _ = node.render_token_list(node.singular)
                    plural, _ = node.render_token_list(node.plural or [])
                    if node.trimmed:
                        singular = translation.trim_whitespace(singular)
                        plural = translation.trim_whitespace(plural)
                    yield singular, plural or None


def catalogue(language: str) -> dict[str | tuple[str, int], str]:
    path = APP / "locale" / language / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        found = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in found.items() if key}


TEXTS = sorted({*texts_of_code(), *texts_of_templates()}, key=str)


def test_there_are_texts() -> None:
    assert ("Sign in", None) in TEXTS
    assert ("Continue with %(name)s", None) in TEXTS
    assert len(TEXTS) > 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_and_current(language: str) -> None:
    found = catalogue(language)
    ids = {key if isinstance(key, str) else key[0] for key in found}

    assert {text for text, _ in TEXTS} - ids == set(), "not translated"
    assert ids - {text for text, _ in TEXTS} == set(), "not ours any more"
    for text, plural in TEXTS:
        if plural is not None:
            forms = [key for key in found if key[0] == text and key != text]
            assert len(forms) == PLURAL_FORMS.get(language, 2), text
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_text_does(language: str) -> None:
    plurals = dict(TEXTS)
    for key, translated in catalogue(language).items():
        text = key if isinstance(key, str) else key[0]
        of_text = sorted(PLACEHOLDER.findall(text))
        of_translation = sorted(PLACEHOLDER.findall(translated))
        if isinstance(key, tuple):
            # "One session" needs no number.
            assert set(of_translation) <= set(PLACEHOLDER.findall(plurals[text] or ""))
        else:
            assert of_translation == of_text, text
        assert translated.count("<strong>") == text.count("<strong>"), text
        assert not re.search(r"<(?!/?strong>)", translated), text
        # Some stand inside an attribute; and they are not what printers use.
        assert not re.search(r"[\"']|&", translated), text


def test_in_arabic_whatever_is_filled_in_keeps_its_own_direction() -> None:
    # "/reports/" would begin at the wrong side, and "1st ID" end with its number.
    for translated in catalogue("ar").values():
        names = re.findall(r"%\(\w+\)s", translated)
        assert len(ISOLATED.findall(translated)) == len(names), translated


def test_english_is_what_the_sources_say() -> None:
    plurals = dict(TEXTS)
    for key, text in catalogue("en").items():
        if isinstance(key, str):
            assert text == key
        else:
            assert text == (plurals[key[0]] if key[1] else key[0])


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_a_translation_is_one(language: str) -> None:
    same = {key for key, text in catalogue(language).items() if key == text}
    # A few words are the same in several languages.
    assert len(same) <= 12, same
