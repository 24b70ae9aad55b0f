"""Every text that people read goes through gettext, and is there in every language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from acr3d.web.templating import LANGUAGES

ROOT = Path(__file__).parents[2]
TRANSLATIONS = ROOT / "translations"
OTHERS = [language for language in LANGUAGES if language != "en"]
HOW = "See docs/decisions/0014-pages-texts.md for the three commands that bring the catalogues up to date."

Text = str | tuple[str, ...]


@pytest.fixture(scope="module")
def said() -> set[Text]:
    """Every text in the sources."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(str(ROOT), methods, options, directory_filter=_is_ours)
    return {
        message if isinstance(message, str) else tuple(message) for _file, _line, message, *_rest in found
    }


def test_the_template_holds_every_text(said: set[Text]) -> None:
    with (TRANSLATIONS / "messages.pot").open("rb") as file:
        listed = _texts(read_po(file))

    assert listed.keys() == said, HOW


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_with_its_placeholders(language: str, said: set[Text]) -> None:
    translated = _texts(_catalogue(language))

    assert translated.keys() == said, HOW
    for text, translation in translated.items():
        originals = [text] if isinstance(text, str) else list(text)
        translations = [translation] if isinstance(translation, str) else list(translation)
        assert all(translations), text
        assert [_places(one) for one in originals] == [_places(one) for one in translations], text


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_texts_are_those_of_the_readable_file(language: str) -> None:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = _texts(read_mo(file))

    assert compiled == _texts(_catalogue(language)), HOW


def test_a_refusal_is_in_the_readers_language(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/parts/NEVER", headers={"Accept-Language": "de"})

    assert "Dieses Teil gibt es nicht." in answer.text


def _catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def _texts(catalogue: Catalog) -> dict[Text, Text]:
    return {
        (one.id if isinstance(one.id, str) else tuple(one.id)): (
            one.string if isinstance(one.string, str) else tuple(one.string)
        )
        for one in catalogue
        if one.id
    }


def _places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def _is_ours(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name not in ("node_modules", "instance", "tests", "static")
