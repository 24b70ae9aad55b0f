"""The documents name what there is: settings, commands, files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from flask import Flask

from acr3d import settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("demo/*.md")])
SOURCES = [*ROOT.glob("acr3d/**/*.py"), ROOT / "gunicorn.conf.py"]
VARIABLE = re.compile(r'"((?:ACR3D|MESHY)_[A-Z_]+[A-Z]|PORT|SECRET_KEY|DATABASE_URL)"')
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
MADE_BY_SETUP = ("static/vendor",)
PATH = re.compile(r"`((?:acr3d|bench|docs|migrations|scripts|static|templates|tests)/[\w./-]*)`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_setting_has_a_row_and_every_row_is_a_setting() -> None:
    used = {name for source in SOURCES for name in VARIABLE.findall(read(source))} | {"ACR3D_BIND"}
    rows = re.findall(r"^\| `([A-Z0-9_]+)`", read(ROOT / "docs/settings.md"), re.MULTILINE)

    assert sorted(rows) == sorted(used)


def test_the_defaults_are_those_of_the_settings(tmp_path: Path) -> None:
    rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| (\S+) \|", read(ROOT / "docs/settings.md"), re.MULTILINE))
    shown = {name: default.strip("`") for name, default in rows.items()}
    plain = settings.from_environment({"ACR3D_INSTANCE": str(tmp_path)})
    explicit = settings.from_environment(
        {
            name: value
            for name, value in shown.items()
            if name not in ("ACR3D_INSTANCE", "ACR3D_TRUSTED_HOSTS")
        }
        | {"ACR3D_INSTANCE": str(tmp_path)}
    )

    assert len(shown) > 15
    assert explicit == plain


def test_the_page_of_commands_is_what_the_commands_say(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from cli_reference import reference

    try:
        assert read(ROOT / "docs/cli.md") == reference(app), "Run `make docs`."
    finally:
        del sys.modules["cli_reference"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_and_path_in_a_document_leads_somewhere(document: Path) -> None:
    text = read(document)
    links = [document.parent / target for target in LINK.findall(text)]
    paths = [ROOT / path for path in PATH.findall(text) if not path.startswith(MADE_BY_SETUP)]

    assert [str(path) for path in [*links, *paths] if not path.exists()] == []
