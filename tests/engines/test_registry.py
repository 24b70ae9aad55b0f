"""Which engines a person may choose from, and that nobody but their folders names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acr3d.engines.registry import ENGINES, Engines
from acr3d.settings import from_environment

ROOT = Path(__file__).parents[2]
MAY_NAME_THEM = ("acr3d/engines/", "acr3d/settings.py")


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ["builtin"]),
        ({"MESHY_API_KEY": "k"}, ["meshy", "builtin"]),
        ({"MESHY_API_KEY": "k", "ACR3D_ENGINE": "builtin"}, ["builtin"]),
        ({"MESHY_API_KEY": "k", "ACR3D_ENGINE": "meshy"}, ["meshy"]),
    ],
)
def test_the_settings_say_which_engines_there_are(
    tmp_path: Path, environ: dict[str, str], names: list[str]
) -> None:
    engines = Engines(from_environment({"ACR3D_INSTANCE": str(tmp_path)} | environ))

    assert [provider.name for provider in engines.available()] == names
    assert engines.default().name == names[0]
    assert engines.provider("no such engine") is None


def test_no_module_and_no_template_names_an_engine() -> None:
    names = "|".join(engine.name for engine in ENGINES)
    literal = re.compile(rf"""(["'])(?:{names})\1""")
    files = [*ROOT.glob("acr3d/**/*.py"), *ROOT.glob("templates/**/*.html")]

    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if literal.search(line) and not str(path.relative_to(ROOT)).startswith(MAY_NAME_THEM)
    }

    assert found == set()


def test_every_engine_has_a_name_and_words_of_its_own() -> None:
    assert len({engine.name for engine in ENGINES}) == len(ENGINES)
    for engine in ENGINES:
        assert re.fullmatch(r"[a-z0-9_]{1,16}", engine.name)
        assert str(engine.wording.name)
        assert "waits" in str(engine.other_account())
