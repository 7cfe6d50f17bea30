"""Every text of ours in every language that we ship, and none that is not ours."""

from __future__ import annotations

import ast
import gettext
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from django.template import Engine
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.translation import pgettext
from pytest_django import Settings

PROJECT = Path(__file__).parent.parent
APP = PROJECT / "oauth_login"
LANGUAGES = ("ar", "de", "en", "es", "fr", "ja", "pt_BR")
OTHERS = [name for name in LANGUAGES if name != "en"]
# How many forms a number has in each, as in Django's own catalogues.
PLURAL_FORMS = {"ar": 6, "es": 3, "ja": 1}
# What a translator is told about a text. Django merges the catalogues of all apps, and
# another app's "browser" or "failed" would replace ours: each begins with our name.
CONTEXTS = {
    "oauth_login admin",
    "oauth_login button",
    "oauth_login event",
    "oauth_login field",
    "oauth_login heading",
    "oauth_login mail",
    "oauth_login message",
    "oauth_login model",
    "oauth_login page",
    "oauth_login right",
    "oauth_login time",
}
# Which argument is the context, the text, and the text with a number.
FUNCTIONS = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
# Marks that keep what is inside them in its own direction: U+2068 … U+2069.
ISOLATED = re.compile("\u2068%\\(\\w+\\)s\u2069")
# Words for which docs/translations.md has another one, or that say something else.
WRONG_WORDS = {
    "en": r"e-mail|\b(whoever|nobody|somebody|anybody)\b|\bunlink|\blinked\b|"
    r"\blog(ged)? (in|out)\b|\blogin\b|\bclient\b|\buser key\b",
    "de": r"klappt|Bescheid|Schlüssel|\bLogins?\b|durchgelassen|Wo$",
    "es": r"\bclave|finaliz|llévame|desde %",
    "fr": r"d’ailleurs|terminer|clé |^(Où|Quoi|Quand)$|adresse électronique",
    "ja": r"サインイン|サインアウト|運営者|端末|お客様|領域|ホームページ|場所|キー",
    "pt_BR": r"\b(entrada|saída|chave|conectad[oa])\b|^O quê$",
    "ar": r"صلاحيات|^صلاحية|خارق|مفتاح|طارئ",
}


class Text(NamedTuple):
    """One entry of a catalogue; `plural` is None without a number."""

    context: str
    singular: str
    plural: str | None

    @property
    def key(self) -> str:
        """As a compiled catalogue has it."""
        return f"{self.context}\x04{self.singular}" if self.context else self.singular


def texts_of(tree: ast.AST) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in FUNCTIONS:
            continue
        context, singular, plural = (
            None if place is None else ast.literal_eval(node.args[place])
            for place in FUNCTIONS[name]
        )
        assert singular is not None
        yield Text(context or "", singular, plural)


def texts_of_code() -> Iterator[Text]:
    for path in APP.rglob("*.py"):
        yield from texts_of(ast.parse(path.read_text()))


def texts_of_template(source: str) -> Iterator[Text]:
    nodes = Engine.get_default().from_string(source).nodelist
    for node in nodes.get_nodes_by_type(Node):
        if not isinstance(node, TranslateNode | BlockTranslateNode):
            continue
        given = node.message_context
        context = "" if given is None else str(given.var)
        if isinstance(node, TranslateNode):
            literal = str(node.filter_expression.var.literal).strip("\"'")
            yield Text(context, literal, None)
        else:
            singular, _ = node.render_token_list(node.singular)
            plural, _ = node.render_token_list(node.plural or [])
            if node.trimmed:
                singular = translation.trim_whitespace(singular)
                plural = translation.trim_whitespace(plural)
            yield Text(context, singular, plural or None)


def texts_of_templates() -> Iterator[Text]:
    for path in sorted((APP / "templates").rglob("*")):
        if path.is_file():
            yield from texts_of_template(path.read_text())


def path_of(language: str, name: str) -> Path:
    return APP / "locale" / language / "LC_MESSAGES" / name


def catalogue(language: str) -> dict[str | tuple[str, int], str]:
    with path_of(language, "django.mo").open("rb") as file:
        found = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {key: text for key, text in found.items() if key}


def source(language: str) -> dict[str | tuple[str, int], str]:
    """What the .po file says, as `catalogue` has it."""
    entries: dict[str | tuple[str, int], str] = {}
    for block in path_of(language, "django.po").read_text().split("\n\n")[1:]:
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line and not line.startswith("#"):
                start, _, rest = line.partition('"')
                name = start.strip() or name
                fields[name] = fields.get(name, "") + ast.literal_eval(f'"{rest}')
        key = f"{fields['msgctxt']}\x04{fields['msgid']}"
        for name, text in fields.items():
            if name == "msgstr":
                entries[key] = text
            elif name.startswith("msgstr["):
                entries[key, int(name[7:-1])] = text
    return entries


def say(key: str | tuple[str, int]) -> str:
    """The text of a key, without its context."""
    return (key if isinstance(key, str) else key[0]).partition("\x04")[2]


TEXTS = sorted({*texts_of_code(), *texts_of_templates()}, key=str)
PLURALS = {text.key: text.plural for text in TEXTS}


def test_there_are_texts() -> None:
    assert Text("oauth_login button", "Sign in", None) in TEXTS
    assert Text("oauth_login button", "Continue with %(name)s", None) in TEXTS
    assert Text("oauth_login field", "browser", None) in TEXTS
    assert len(TEXTS) > 180


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ('pgettext("a", "b")', Text("a", "b", None)),
        ('translation.pgettext_lazy("a", "b" "c")', Text("a", "bc", None)),
        ('npgettext("a", "b", "c", 2)', Text("a", "b", "c")),
        ('npgettext_lazy("a", "b", "c", "n")', Text("a", "b", "c")),
        ('_("b")', Text("", "b", None)),
        ('gettext_noop("b")', Text("", "b", None)),
        ('ngettext("b", "c", 2)', Text("", "b", "c")),
    ],
)
def test_a_text_of_code_is_found(code: str, text: Text) -> None:
    assert list(texts_of(ast.parse(code))) == [text]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{% translate "b" context "a" %}', Text("a", "b", None)),
        ('{% translate "b" %}', Text("", "b", None)),
        (
            '{% blocktranslate with x=y context "a" %}b {{ x }}{% endblocktranslate %}',
            Text("a", "b %(x)s", None),
        ),
        ("{% blocktranslate %}b{% endblocktranslate %}", Text("", "b", None)),
        (
            '{% blocktranslate count n=y context "a" %}b{% plural %}c'
            "{% endblocktranslate %}",
            Text("a", "b", "c"),
        ),
    ],
)
def test_a_text_of_a_template_is_found(template: str, text: Text) -> None:
    assert list(texts_of_template("{% load i18n %}" + template)) == [text]


def test_every_text_has_a_context_that_is_explained() -> None:
    without = [text for text in TEXTS if text.context not in CONTEXTS]
    explained = (PROJECT / "docs" / "translations.md").read_text()

    assert without == [], "use pgettext, or `context` in a template"
    assert {text.context for text in TEXTS} == CONTEXTS
    assert [name for name in CONTEXTS if f"`{name}`" not in explained] == []


def test_a_function_of_gettext_goes_by_its_own_name() -> None:
    # Under another name neither makemessages nor this file would find its texts.
    for path in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.ImportFrom)
                and node.module == "django.utils.translation"
            ):
                assert [name for name in node.names if name.asname] == [], path


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_and_current(language: str) -> None:
    found = catalogue(language)
    keys = {key if isinstance(key, str) else key[0] for key in found}
    ours = {text.key for text in TEXTS}

    assert ours - keys == set(), "not translated"
    assert keys - ours == set(), "not ours any more"
    for text in TEXTS:
        if text.plural is not None:
            forms = [key for key in found if key[0] == text.key and key != text.key]
            assert len(forms) == PLURAL_FORMS.get(language, 2), text
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_compiled_catalogue_is_what_its_source_says(language: str) -> None:
    assert source(language) == catalogue(language), "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_source_has_no_guesses_and_no_remains(language: str) -> None:
    text = path_of(language, "django.po").read_text()

    assert re.findall(r"^#,.*\bfuzzy\b", text, re.M) == [], "guessed by gettext"
    assert re.findall(r"^#~.*", text, re.M) == [], "obsolete"
    assert re.findall(r"^#\|.*", text, re.M) == [], "an earlier text"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_text_does(language: str) -> None:
    for key, translated in catalogue(language).items():
        text = say(key)
        of_text = sorted(PLACEHOLDER.findall(text))
        of_translation = sorted(PLACEHOLDER.findall(translated))
        if isinstance(key, tuple):
            # "One session" needs no number.
            plural = PLURALS[key[0]] or ""
            assert set(of_translation) <= set(PLACEHOLDER.findall(plural))
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


def test_in_arabic_punctuation_is_arabic() -> None:
    for translated in catalogue("ar").values():
        assert not re.search("[,;?]", translated), translated


def test_in_french_a_space_that_does_not_break_comes_before_punctuation() -> None:
    for translated in catalogue("fr").values():
        assert not re.search("(?<!\u202f)[;!?]", translated), translated
        assert not re.search("(?<!\u00a0):(?!//)", translated), translated
        assert " …" not in translated, translated


def test_in_spanish_a_question_begins_with_its_mark() -> None:
    for translated in catalogue("es").values():
        assert translated.count("?") == translated.count("¿"), translated
        assert translated.count("!") == translated.count("¡"), translated


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_stands_for_one_thing(language: str) -> None:
    wrong = re.compile(WRONG_WORDS[language], re.IGNORECASE)
    for key, translated in catalogue(language).items():
        assert not wrong.search(translated), (say(key), translated)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_ends_as_the_text_does(language: str) -> None:
    ends = {".": ".。", "?": "?？؟", "…": "…", ":": ":"}
    for key, translated in catalogue(language).items():
        text = say(key)
        if text[-1] in ends and isinstance(key, str):
            assert translated[-1] in ends[text[-1]], translated


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt_BR"])
def test_a_mail_begins_with_a_capital_after_the_salutation(language: str) -> None:
    # Small letters there are German.
    mails = [text for text in catalogue(language).values() if "\n\n" in text]

    assert len(mails) == 2
    assert all(text.split("\n\n")[1][0].isupper() for text in mails)


def test_english_is_what_the_sources_say() -> None:
    for key, text in catalogue("en").items():
        if isinstance(key, str):
            assert text == say(key)
        else:
            assert text == (PLURALS[key[0]] if key[1] else say(key))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_one(language: str) -> None:
    same = {key for key, text in catalogue(language).items() if say(key) == text}
    # A few words are the same in several languages.
    assert len(same) <= 12, same


def write_catalogue(path: Path, texts: Mapping[str, str]) -> None:
    """A compiled catalogue: https://www.gnu.org/software/gettext/manual, MO Files."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    number, body, tables = len(pairs), b"", [b"", b""]
    for side in (0, 1):
        for pair in pairs:
            encoded = pair[side].encode()
            place = 28 + 16 * number + len(body)
            tables[side] += struct.pack("<II", len(encoded), place)
            body += encoded + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, number, 28, 28 + 8 * number, 0, 0)
    path.parent.mkdir(parents=True)
    path.write_bytes(head + b"".join(tables) + body)


@pytest.mark.parametrize(
    ("context", "text", "ours"),
    [
        ("oauth_login field", "browser", "Browser"),
        ("oauth_login field", "subject", "Kennung"),
        ("oauth_login admin", "active", "aktiv"),
        ("oauth_login admin", "Access right", "Recht"),
        ("oauth_login event", "failed", "fehlgeschlagen"),
        ("oauth_login button", "No, go back", "Nein, zurück"),
    ],
)
def test_another_apps_catalogue_does_not_replace_our_texts(
    tmp_path: Path, settings: Settings, context: str, text: str, ours: str
) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "django.mo"
    write_catalogue(path, {text: "fremd", f"shop\x04{text}": "fremd"})
    # Django asks these before all apps: nothing could stand further in front.
    settings.LOCALE_PATHS = [str(tmp_path)]
    with translation.override("de"):
        assert translation.gettext(text) == "fremd"
        assert pgettext(context, text) == ours


def test_a_site_replaces_a_text_of_ours_by_its_context(
    tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "django.mo"
    key = "oauth_login button\x04Continue with %(name)s"
    write_catalogue(path, {key: "Bei %(name)s anmelden"})
    settings.LOCALE_PATHS = [str(tmp_path)]
    with translation.override("de"):
        shown = pgettext("oauth_login button", "Continue with %(name)s")
        assert shown == "Bei %(name)s anmelden"
