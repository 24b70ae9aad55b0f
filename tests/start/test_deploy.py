"""The files in deploy/: proxies agree with the server behind them; units and image give it few rights."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from acr3d.server.limits import Limits
from acr3d.web.api.request_body import UPLOAD_BYTES
from tests.support.site import ROOT

NGINX = (ROOT / "deploy/nginx.conf").read_text()
CADDY = (ROOT / "deploy/Caddyfile").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
UNITS = ROOT / "deploy/systemd"
SERVICES = ("acr3d", "acr3d-worker", "acr3d-backup")
MOST_EXPOSURE = 2.5  # of 10, as systemd-analyze counts; a unit without hardening has 9.6


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, pattern
    return int(found[1])


def test_a_proxy_takes_what_acr3d_takes() -> None:
    assert number(r"client_max_body_size (\d+)m;", NGINX) * 1024**2 > UPLOAD_BYTES
    assert number(r"max_size (\d+)MB", CADDY) * 1000**2 > UPLOAD_BYTES


def test_a_proxy_gives_up_a_kept_connection_before_acr3d_does() -> None:
    assert number(r"keepalive_timeout (\d+)s;", NGINX) < Limits().idle
    assert number(r"keepalive (\d+)s", CADDY) < Limits().idle


def test_a_proxy_waits_as_long_for_a_head_as_acr3d_does() -> None:
    assert number(r"client_header_timeout (\d+)s;", NGINX) == Limits().head
    assert number(r"read_header (\d+)s", CADDY) == Limits().head


def unit(name: str) -> configparser.SectionProxy:
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(UNITS / f"{name}.service")
    return read["Service"]


def test_all_units_run_as_the_same_user_with_the_same_few_rights() -> None:
    web, *others = map(unit, SERVICES)
    rights = [
        name for name in web if name.startswith(("Protect", "Private", "Restrict", "System", "No", "Cap"))
    ]

    assert len(rights) > 15
    for other in others:
        for name in (*rights, "User", "WorkingDirectory", "EnvironmentFile", "StateDirectory", "UMask"):
            assert other[name] == web[name], name
    assert "jobs work" in unit("acr3d-worker")["ExecStart"]


@pytest.mark.needs("systemd")
def test_systemd_understands_the_units_and_finds_them_hardened(tmp_path: Path) -> None:
    for path in UNITS.iterdir():
        here = path.read_text().replace("/opt/acr3d", str(ROOT)).replace("/etc/acr3d.env", f"-{tmp_path}/env")
        (tmp_path / path.name).write_text(here.replace("User=acr3d", "User=root"))

    said = analyze("verify", *map(str, tmp_path.iterdir()))

    assert said == ""
    for name in SERVICES:
        said = analyze("security", "--offline=true", str(tmp_path / f"{name}.service"))
        assert number_of(r"exposure level for .*: ([\d.]+)", said) <= MOST_EXPOSURE


def analyze(*words: str) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def number_of(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


def test_the_image_is_pinned_small_and_runs_without_rights() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    last = DOCKERFILE.rpartition("\nFROM ")[2]

    for base in bases:
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]*slim[a-z-]*", base), base
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert last.index("USER acr3d") < last.index("\nCMD ")
    assert "HEALTHCHECK" in last
    assert "node" not in last


def test_what_the_image_holds_is_enough_to_start(tmp_path: Path, migrated_sqlite: Path) -> None:
    for source in in_image():
        copied = tmp_path / source
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, copied)
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "data/acr3d.sqlite")
    script = "import wsgi; print(wsgi.__file__, wsgi.app.test_client().get('/').status_code)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"ACR3D_INSTANCE": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"{tmp_path / 'wsgi.py'} 200\n", done.stderr


def in_image() -> list[str]:
    """The files and folders that the last stage copies, each of which the build may see."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    visible = (ROOT / ".dockerignore").read_text().split()
    found = [name for line in re.findall(r"^COPY (.*)", last, re.MULTILINE) for name in line.split()[:-1]]
    names = [name.removeprefix("/app/") for name in found if not name.startswith("--from")]
    assert all(name == ".venv" or f"!{name}" in visible for name in names)
    return [name for name in dict.fromkeys(names) if name != ".venv"]


def test_compose_gives_the_proxy_the_name_and_acr3d_the_least() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    acr3d, caddy = services["acr3d"], services["caddy"]

    assert (acr3d["read_only"], acr3d["cap_drop"]) == (True, ["ALL"])
    assert "ports" not in acr3d  # only the proxy is reached from outside
    assert acr3d["environment"]["ACR3D_PROXY_COUNT"] == "1"
    assert caddy["environment"]["ACR3D_ADDRESS"] == "acr3d:5000"
    for name in caddy["environment"]:
        assert f"{{${name}:" in CADDY
