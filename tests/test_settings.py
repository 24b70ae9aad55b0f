"""Settings: sensible defaults, and one clear line for a wrong value."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from acr3d.settings import SettingsError, from_environment

ROOT = Path(__file__).parents[1]


def read(tmp_path: Path, **environ: str):  # type: ignore[no-untyped-def]
    return from_environment({"ACR3D_INSTANCE": str(tmp_path / "instance")} | environ)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = read(tmp_path)

    assert settings.database_url == f"sqlite:///{tmp_path}/instance/acr3d.sqlite"
    assert settings.storage_folder == tmp_path / "instance" / "storage"
    assert (settings.engine, settings.poller, settings.port) == ("auto", "web", 5000)


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)

    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    kept = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert read(tmp_path, SECRET_KEY="given").secret_key == "given"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("msy_from_a_file\n")

    assert read(tmp_path, MESHY_API_KEY_FILE=str(tmp_path / "key")).meshy_api_key == "msy_from_a_file"
    with pytest.raises(SettingsError, match="MESHY_API_KEY_FILE"):
        read(tmp_path, MESHY_API_KEY_FILE=str(tmp_path / "absent"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_is_accepted(tmp_path: Path, scheme: str) -> None:
    settings = read(tmp_path, DATABASE_URL=f"{scheme}://me:pw@db/acr3d")

    assert settings.database_url == "postgresql+psycopg://me:pw@db/acr3d"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACR3D_SHOP_EMAIL", "ask us"),
        ("ACR3D_SMTP_URL", "mail.example.com"),
        ("ACR3D_SMTP_URL", "http://mail.example.com"),
        ("ACR3D_NOTICE_WEBHOOK", "ftp://example.com"),
        ("ACR3D_NOTICE_WEBHOOK", "https://"),
        ("ACR3D_SHOP_PHONE", "none"),
        ("ACR3D_SHOP_WHATSAPP", "0151 2345"),
        ("ACR3D_SHOP_LOGO", "logo.svg"),
        ("ACR3D_ENGINE", "blender"),
        ("ACR3D_ENGINE", "meshy"),
        ("ACR3D_POLLER", "both"),
        ("ACR3D_WORKERS", "celery"),
        ("ACR3D_WORKERS", "procrastinate"),  # not with SQLite
        ("ACR3D_POLL_SECONDS", "0"),
        ("ACR3D_POLL_SECONDS", "half"),
        ("ACR3D_MAX_CONCURRENT_TASKS", "-1"),
        ("PORT", "70000"),
        ("ACR3D_REVIEW", "maybe"),
        ("ACR3D_LEAST_AGREEMENT", "101"),
        ("DATABASE_URL", "mysql://db/acr3d"),
        ("ACR3D_STORAGE_URL", "s3://Bucket/prefix"),
        ("ACR3D_STORAGE_URL", "relative/folder"),
        ("MESHY_API_BASE", "api.meshy.ai"),
        ("MESHY_API_BASE", "https://api.meshy.ai/openapi"),
        ("MESHY_API_BASE", "https://user@api.meshy.ai"),
        ("MESHY_API_BASE", "https://api.meshy.ai:99999"),
        ("ACR3D_PUBLIC_URL", "parts.example.com"),
        ("ACR3D_ASSET_ORIGINS", "https://cdn.example.com ftp://x"),
        ("MESHY_API_KEY", "msy_cut in two"),
        ("MESHY_API_KEY", "msy_schlüssel"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line_that_names_it(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, **{name: value})

    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    shown = repr(
        read(tmp_path, MESHY_API_KEY="msy_hidden", SECRET_KEY="hidden", ACR3D_ADMIN_PASSWORD="hidden")
    )

    assert "hidden" not in shown


@pytest.mark.parametrize(
    "command",
    [["-m", "flask", "--app", "wsgi", "routes"], ["-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]],
    ids=["flask", "gunicorn"],
)
def test_a_bad_value_stops_the_start_with_one_line_and_no_traceback(
    command: list[str], tmp_path: Path
) -> None:
    environ = os.environ | {"ACR3D_INSTANCE": str(tmp_path), "ACR3D_POLL_SECONDS": "0", "PORT": "0"}

    stopped = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )

    assert stopped.returncode == 3
    assert "acr3d: ACR3D_POLL_SECONDS is '0'; it must be a whole number from 1 to 3600." in stopped.stderr
    assert "Traceback" not in stopped.stderr
