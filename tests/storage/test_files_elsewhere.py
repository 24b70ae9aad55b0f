"""Public files from a CDN, or from the bucket by signed addresses; and what `flask doctor` says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from flask import Flask

from acr3d import settings
from acr3d.app import create_app
from acr3d.parts import parts
from acr3d.parts.photos import images_of
from acr3d.settings import Settings, SettingsError
from tests.support import s3
from tests.support.accounts import browser
from tests.support.contract.checker import Contract
from tests.support.contract.server import Handler, prepared_server
from tests.support.databases import close
from tests.support.factories import make_part_with_photos
from tests.support.site import Site


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3.s3_server() as address:
        yield address


@pytest.fixture
def config(sqlite_config: Settings, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in s3.environ(server).items():
        monkeypatch.setenv(name, value)
    return replace(sqlite_config, bucket=f"s3://shop/{tmp_path.name.replace('_', '-')}")


def photo_of(app: Flask) -> tuple[str, str]:
    """A published part's id, and its photo's address."""
    with app.app_context():
        part = make_part_with_photos(angles=("front",))
        return part.id, images_of(part.id)[0].image_url


def test_a_started_server_sends_browsers_to_the_bucket(config: Settings, server: str, tmp_path: Path) -> None:
    site = Site(config.instance, s3.environ(server) | {"ACR3D_STORAGE_URL": config.bucket})
    site.environ["ACR3D_SIGNED_FILES"] = "1"
    app = create_app(settings.from_environment(site.environ))
    photo = site.url + photo_of(app)[1]
    close(app)
    site.start()
    try:
        found = httpx.get(photo, headers={"Range": "bytes=0-1"})
        address = found.headers["Location"]
        some = httpx.get(address, headers={"Range": "bytes=0-1"})
        head = httpx.head(photo)
    finally:
        site.kill_everything()

    assert (found.status_code, found.headers["Access-Control-Allow-Origin"]) == (302, "*")
    assert found.headers["Cache-Control"] == "public, max-age=1800"
    assert address.startswith(f"{server}/{config.bucket.removeprefix('s3://')}/parts/")
    assert "X-Amz-Expires=3600" in address
    assert (some.status_code, some.content) == (206, b"\xff\xd8")
    assert some.headers["Content-Type"] == "image/jpeg"
    assert some.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (head.status_code, int(head.headers["Content-Length"]) > 1000) == (200, True)


def test_pages_may_load_from_the_cdn_and_what_is_private_stays_here(make_app: Callable[..., Flask]) -> None:
    app = make_app(cdn_url="https://cdn.example.com/shop")
    customer, staff = app.test_client(), browser(app, "viewer")
    part_id, photo = photo_of(app)

    public = customer.get(photo, headers={"If-None-Match": '"anything"'})
    policy = dict(
        one.split(" ", 1) for one in customer.get("/").headers["Content-Security-Policy"].split("; ")
    )
    with app.app_context():
        parts.update_part(part_id, {"is_published": False})
    private = staff.get(photo, buffered=True)

    assert public.location == photo.replace("/media/", "https://cdn.example.com/shop/")
    assert "https://cdn.example.com" in policy["img-src"].split()
    assert (private.status_code, private.headers["Cache-Control"]) == (200, "private, no-store")
    assert private.data.startswith(b"\xff\xd8")
    assert customer.get(photo).status_code == 404


def test_only_the_signed_address_s_origin_is_added_to_the_policy(
    make_app: Callable[..., Flask], server: str
) -> None:
    plain, signed = (
        make_app(signed_files=switch).test_client().get("/").headers["Content-Security-Policy"]
        for switch in (False, True)
    )

    assert server not in plain
    assert f"data: blob: {server};" in signed


def file_with(status: int, headers: dict[str, str]) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send(status, headers, b"cr3" if status == 206 else b"acr3d")

    return answer


GOOD = {"Content-Type": "model/gltf-binary", "Access-Control-Allow-Origin": "*"}


@pytest.mark.parametrize(
    ("status", "headers", "code", "sentence"),
    [
        (206, GOOD, 0, "ok  CDN: {cdn} shows the files, also to scripts and in pieces."),
        (200, GOOD, 0, " !  CDN: {cdn} sends whole files only"),
        (403, GOOD, 1, " ✗  CDN: {cdn} answers 403 for a file that is in the bucket"),
        (
            206,
            GOOD | {"Access-Control-Allow-Origin": "https://b.example"},
            1,
            "(CORS), so 3D models do not load",
        ),
        (206, GOOD | {"Content-Type": "text/plain"}, 1, " ✗  CDN: {cdn} changes the Content-Type of files"),
    ],
)
def test_doctor_gets_a_file_as_a_browser_does(
    make_app: Callable[..., Flask], status: int, headers: dict[str, str], code: int, sentence: str
) -> None:
    with prepared_server(Contract()) as cdn:
        cdn.answers = [file_with(status, headers)]
        result = make_app(cdn_url=cdn.base).test_cli_runner().invoke(args=["doctor"])

    assert sentence.format(cdn=cdn.base) in result.output
    assert result.exit_code == code
    assert "Bucket: files can be written" in result.output


def test_doctor_says_when_nothing_answers_or_browsers_would_block_it(make_app: Callable[..., Flask]) -> None:
    def said(**changes: object) -> str:
        return make_app(**changes).test_cli_runner().invoke(args=["doctor"]).output

    assert "✗  CDN: http://127.0.0.1:9 does not answer (ConnectError)" in said(cdn_url="http://127.0.0.1:9")
    blocked = said(signed_files=True, public_url="https://127.0.0.1:9")
    assert "is no https:// address, so browsers show no photos and models from it." in blocked


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"ACR3D_CDN_URL": "https://cdn.example.com"}, "need a bucket"),
        (
            {"ACR3D_STORAGE_URL": "s3://shop", "ACR3D_CDN_URL": "cdn.example.com"},
            "must look like https://host",
        ),
        ({"ACR3D_STORAGE_URL": "s3://shop", "ACR3D_CDN_URL": "https://a.example/?x"}, "without a query"),
        (
            {
                "ACR3D_STORAGE_URL": "s3://shop",
                "ACR3D_CDN_URL": "https://a.example",
                "ACR3D_SIGNED_FILES": "1",
            },
            "Set one",
        ),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings.from_environment({"ACR3D_INSTANCE": str(tmp_path)} | environ)


def test_a_cdn_may_show_the_files_below_a_path(tmp_path: Path) -> None:
    environ = {"ACR3D_STORAGE_URL": "s3://shop", "ACR3D_CDN_URL": "https://CDN.example.com/shop/"}

    config = settings.from_environment({"ACR3D_INSTANCE": str(tmp_path)} | environ)

    assert config.cdn_url == "https://cdn.example.com/shop"
