"""What tests put into the database and send: people, parts, pictures, a small model."""

from __future__ import annotations

import io
import json
import struct
from datetime import timedelta

from flask import Flask
from PIL import Image, ImageDraw
from sqlalchemy import update

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, PartImage, User
from acr3d.db.session import transaction
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.parts.parts import create_part
from acr3d.parts.photos import add_photos, images_of
from acr3d.photos import sanitize
from acr3d.storage.blobs import storage
from acr3d.worker.loop import JobPoller

PASSWORD = "correct horse battery"


def picture(colour: str = "steelblue", size: tuple[int, int] = (400, 300), kind: str = "JPEG") -> bytes:
    """A photo-like file: a solid block on a white backdrop."""
    image = Image.new("RGB", size, "white")
    width, height = size
    ImageDraw.Draw(image).rectangle((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def photo(colour: str = "steelblue") -> sanitize.Photo:
    return sanitize.clean(io.BytesIO(picture(colour)))


def make_user(email: str = "anna@example.com", role: str = "admin") -> User:
    user = User(email=email, password_hash="unusable", role=role)
    with transaction() as session:
        session.add(user)
    return user


def make_part(sku: str = "BR-100", **fields: object) -> Part:
    return create_part({"sku": sku, "name": f"Bracket {sku}"} | fields)


def make_part_with_photos(sku: str = "BR-100", angles: tuple[str, ...] = ("front", "right", "back")) -> Part:
    """A part whose photos no poller looks at: that takes seconds, and has tests of its own."""
    part, one = make_part(sku), photo()
    for angle in angles:
        add_photos(part.id, [one], {"angle_label": angle})
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(check_due_at=None))
        # One picture is quick to make; that it is the same is not to be told.
        session.execute(update(PartImage).where(PartImage.part_id == part.id).values(same_as_id=None))
    return part


def finished_job(part_id: str, **facts: object) -> Job:
    """A complete job to be added to a session; nothing was really made."""
    nothing: dict[str, object] = {
        "selected_image_ids": [],
        "selected_image_urls": [],
        "selected_image_metadata": [],
        "generation_config": {},
        "engine_base": "",
        "account": "",
    }
    return Job(part_id=part_id, status="complete", engine="builtin", **(nothing | facts))


def fail_job(part: Part) -> Job:
    """A job of the part that has failed just now."""
    job = finished_job(part.id, completed_at=utc_now(), error_message="The engine made no model.")
    job.status = Status.FAILED
    with transaction() as session:
        session.add(job)
    return job


def optimize_raw_model(app: Flask, part: Part, model: bytes) -> None:
    """Let a job of the part that has just fetched this raw model take its last step."""
    key = f"parts/{part.id}/raw/fetched.glb"
    storage().put(key, model)
    job = finished_job(part.id, raw_storage_path=key, selected_image_ids=["a photo"])
    job.status = "optimizing"
    with transaction() as session:
        session.add(job)
    JobPoller(app).run_once()
    db.session.expire_all()
    assert db.session.get_one(Job, job.id).status == "complete"


def by_angle(part: Part) -> dict[str, str]:
    """{angle: image id} of the part's labelled photos."""
    return {image.angle_label: image.id for image in images_of(part.id) if image.angle_label}


def order_of(part: Part) -> list[str]:
    return [image.id for image in images_of(part.id)]


def places_of(images: list[PartImage]) -> list[int]:
    return [image.display_order for image in images]


def make_due(job: Job) -> None:
    """Let the time pass that a job waits for."""
    with transaction() as session:
        session.execute(update(Job).where(Job.id == job.id).values(next_at=utc_now() - timedelta(hours=1)))


def box_glb() -> bytes:
    """A closed box as a generator might give it: one mesh, one material, one JPEG map, no compression."""
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (0.0, 1.0) for z in (-0.25, 0.25)]
    faces = [
        (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
        (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
    ]  # fmt: skip
    positions = b"".join(struct.pack("<3f", *corner) for corner in corners)
    uvs = b"".join(struct.pack("<2f", index % 2, index // 4) for index in range(8))
    indices = b"".join(struct.pack("<3H", *face) for face in faces)
    return _glb([positions, uvs, indices, picture(size=(64, 64))])


def _glb(chunks: list[bytes]) -> bytes:
    views, blob = [], b""
    for chunk in chunks:
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(chunk)})
        blob += chunk + b"\0" * (-len(chunk) % 4)
    corners = {"min": [-0.5, 0.0, -0.25], "max": [0.5, 1.0, 0.25]}
    document = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(blob)}],
        "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3", **corners},
            {"bufferView": 1, "componentType": 5126, "count": 8, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "images": [{"bufferView": 3, "mimeType": "image/jpeg"}],
        "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2, "material": 0}]}
        ],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    length = 12 + 8 + len(text) + 8 + len(blob)
    header = struct.pack("<4sII", b"glTF", 2, length)
    return (
        header
        + struct.pack("<I4s", len(text), b"JSON")
        + text
        + struct.pack("<I4s", len(blob), b"BIN\0")
        + blob
    )
