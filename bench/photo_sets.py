"""Send sets of photos through the whole app: python -m bench.photo_sets SETS OUT [SET…]

SETS holds a folder for each part with photos named by side (`front.jpg`, `top.png`, …). Each set is uploaded
to an app of its own, outlines are found, the photos are checked, and a model is ordered from the photos that
the form suggests, as a person does who changes nothing. Prints a line for each set. OUT gets for each set a
contact sheet to judge by eye: the photos with their outlines above, the model from six sides and at an angle
below; and its raw model.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import flask_migrate
from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import select

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from acr3d.db.models import Job, ModelVersion, Part, PartImage, PhotoOutline
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.outlines.stored import outlines_of
from acr3d.parts.photos import add_photos, images_of
from acr3d.photo_checks.results import PhotoCheckResult, check_result
from acr3d.photos import sanitize
from acr3d.render.cameras import SIDES, Orbit, side_camera
from acr3d.render.draw import draw, flatten_on_white
from acr3d.render.scene import read_scene
from acr3d.storage.blobs import storage
from acr3d.web.admin.generate_form import GenerateForm
from acr3d.worker.loop import JobPoller
from tests.support.factories import make_due, make_part, make_user

_TILE = 240
_ABOVE = Orbit(theta=30, phi=65, radius=3.2, target=(0, 0, 0), field_of_view=30)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", metavar="SET")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folders = sorted(path for path in options.sets.iterdir() if path.is_dir())
    print("| set | photos | outlined | findings | agreement | confidence | outcome | s |")
    print("|---|---|---|---|---|---|---|---|")
    for folder in folders:
        if not options.names or folder.name in options.names:
            print("| " + " | ".join(measured(folder, options.out / folder.name)) + " |", flush=True)


def measured(photos: Path, out: Path) -> list[str]:
    """A line about one set; writes its contact sheet and its raw model beside `out`."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings.from_environment({"ACR3D_INSTANCE": folder}))
        with app.app_context():
            flask_migrate.upgrade()
            started = time.monotonic()
            part = _uploaded(photos)
            _until(app, part.id, lambda: db.session.get_one(Part, part.id).check_due_at is None)
            images = images_of(part.id)
            check = check_result(part, images)
            job = _ordered(app, part, check)
            seconds = time.monotonic() - started
            found = outlines_of(part.id, {image.sha256 for image in images if image.sha256})
            line = _line(photos.name, images, found, check, job, seconds)
            _draw_sheet(images, found, job, out)
            db.session.remove()
            db.engine.dispose()
    return line


def _uploaded(photos: Path) -> Part:
    part = make_part(photos.name)
    for side in SIDES:
        for path in photos.glob(f"{side}.*"):
            with path.open("rb") as file:
                add_photos(part.id, [sanitize.clean(file)], {"angle_label": side})
    return part


def _ordered(app: Flask, part: Part, check: PhotoCheckResult) -> Job:
    """The job that the form would order as it is first shown, at its end."""
    form = GenerateForm.suggested(images_of(part.id), check.best)
    job = service.start(part.id, form.selected(), "builtin", {"other_sides": True}, make_user())
    _until(app, part.id, lambda: not db.session.get_one(Job, job.id).is_live)
    return db.session.get_one(Job, job.id)


def _until(app: Flask, part_id: str, done: Callable[[], bool]) -> None:
    while not done():
        job = db.session.query(Job).filter_by(part_id=part_id).first()
        if job is not None and job.is_live and job.next_at and job.next_at > utc_now():
            make_due(job)
        JobPoller(app).run_once()
        time.sleep(0.2)
        db.session.rollback()  # what other threads have written is seen by a new transaction


def _line(
    name: str,
    images: list[PartImage],
    found: dict[str, PhotoOutline],
    check: PhotoCheckResult,
    job: Job,
    seconds: float,
) -> list[str]:
    refusals = {image.angle_label: found[image.sha256].refusal for image in images if image.sha256 in found}
    version = db.session.scalar(select(ModelVersion).filter_by(job_id=job.id))
    agreement = version.report.get("agreement", {}).get("all", "") if version else ""
    return [
        name,
        str(len(images)),
        ", ".join(f"{side}: {why}" for side, why in refusals.items() if why) or "all",
        ", ".join(sorted({advice.code for advice in check.advice})),
        str(agreement),
        str((job.generation_report or {}).get("sureness", "")),
        version.state if version else f"{job.status}: {job.error_message}",
        f"{seconds:.0f}",
    ]


def _draw_sheet(images: list[PartImage], found: dict[str, PhotoOutline], job: Job, out: Path) -> None:
    sheet = Image.new("RGB", (7 * _TILE, 2 * _TILE), "white")
    for place, image in enumerate(images):
        sheet.paste(_outlined(image, found.get(image.sha256 or "")), (place * _TILE, 0))
    if job.raw_storage_path:
        out.with_suffix(".glb").write_bytes(storage().path(job.raw_storage_path).read_bytes())
        scene = read_scene(out.with_suffix(".glb"), 512)
        cameras = [side_camera(image.angle_label or "front", *scene.box, _TILE) for image in images]
        for place, camera in enumerate([*cameras, _ABOVE.camera(_TILE)]):
            sheet.paste(flatten_on_white(draw(scene, camera, _TILE, _TILE)), (place * _TILE, _TILE))
    sheet.save(out.with_suffix(".png"))


def _outlined(image: PartImage, outline: PhotoOutline | None) -> Image.Image:
    """The photo, what is not the part in red; the side and the refusal written on it."""
    with Image.open(storage().path(image.storage_path or "")) as photo:
        tile = photo.convert("RGB")
    tile.thumbnail((_TILE, _TILE))
    if outline is not None and outline.storage_path:
        with Image.open(storage().path(outline.storage_path)) as mask:
            part = mask.convert("L").resize(tile.size)
        red = Image.blend(tile, Image.new("RGB", tile.size, "red"), 0.6)
        tile = Image.composite(tile, red, part)
    refusal = outline.refusal if outline is not None else "none"
    ImageDraw.Draw(tile).text(
        (4, 4), f"{image.angle_label} {refusal or ''}", "lime", stroke_width=1, stroke_fill="black"
    )
    return tile


if __name__ == "__main__":
    main()
