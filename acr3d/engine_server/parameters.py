"""The parameters of a task request, validated as Meshy validates them.

Types, ranges and dependencies follow Meshy's multi-image-to-3d page of August 2026; unknown names are
ignored. There are two differences: images are accepted as data URIs only (this engine fetches nothing), and
two lists may stand next to `image_urls`: `image_angles` says which side each image shows, `image_outlines`
has a PNG for each that is white on the part, or null.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ANGLES = ("front", "back", "left", "right", "top", "bottom")
DEFAULT_ANGLES = ("front", "right", "back", "left")
DEFAULT_POLYCOUNT = 30_000
_DATA_URI = re.compile(r"data:image/(?:jpeg|jpg|png);base64,", re.IGNORECASE)
_IMAGE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class InvalidParameter(ValueError):
    """`str()` is a sentence for the user that names the parameter."""


@dataclass(frozen=True)
class TaskRequest:
    """A valid request: images, the side that each shows, its outline, and the other parameters as sent."""

    photos: list[bytes]
    angles: list[str]
    outlines: list[bytes | None]
    options: dict[str, Any]


def parse_task_request(body: object) -> TaskRequest:
    """Validate a decoded JSON body. Raises InvalidParameter."""
    if not isinstance(body, Mapping):
        raise InvalidParameter("The body must be a JSON object.")
    for name, (is_right, rule) in _RULES.items():
        if body.get(name) is not None and not is_right(body[name]):
            raise InvalidParameter(f"{name} must be {rule}.")
    _check_dependencies(body)
    photos = _photos(body)
    options = {name: body[name] for name in _STORED_OPTIONS if body.get(name) is not None}
    return TaskRequest(photos, _angles(body, len(photos)), _outlines(body, len(photos)), options)


def _photos(body: Mapping[str, Any]) -> list[bytes]:
    if body.get("input_task_id") is not None:
        raise InvalidParameter("input_task_id is not supported by this engine; send image_urls.")
    uris = body.get("image_urls")
    most = 4 if body.get("image_angles") is None else len(ANGLES)
    if not isinstance(uris, list) or not 1 <= len(uris) <= most:
        raise InvalidParameter(f"image_urls must be a list of 1 to {most} images.")
    return [_photo(f"image_urls[{number}]", uri) for number, uri in enumerate(uris)]


def _photo(name: str, uri: object) -> bytes:
    head = _DATA_URI.match(uri) if isinstance(uri, str) else None
    if head is None or not isinstance(uri, str):
        raise InvalidParameter(
            f"{name} must be a data URI of a JPEG or PNG image; this engine does not fetch URLs."
        )
    try:
        photo = base64.b64decode(uri[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidParameter(f"{name} is not valid base64.") from None
    if not photo.startswith(_IMAGE_SIGNATURES):
        raise InvalidParameter(f"{name} is not a JPEG or PNG image.")
    return photo


def _angles(body: Mapping[str, Any], count: int) -> list[str]:
    angles = body.get("image_angles")
    if angles is None:
        return list(DEFAULT_ANGLES[:count])
    if not isinstance(angles, list) or len(angles) != count:
        raise InvalidParameter("image_angles must be a list with one angle for each image.")
    if any(angle not in ANGLES for angle in angles) or len(set(angles)) != count:
        raise InvalidParameter(f"image_angles must be different values from {', '.join(ANGLES)}.")
    return angles


def _outlines(body: Mapping[str, Any], count: int) -> list[bytes | None]:
    uris = body.get("image_outlines") or [None] * count
    if not isinstance(uris, list) or len(uris) != count:
        raise InvalidParameter("image_outlines must be a list with one image or null for each image.")
    return [
        None if uri is None else _photo(f"image_outlines[{number}]", uri) for number, uri in enumerate(uris)
    ]


def _check_dependencies(body: Mapping[str, Any]) -> None:
    if body.get("should_texture") is False:
        for name in _TEXTURE_ONLY:
            if body.get(name):
                raise InvalidParameter(f"{name} is only supported when should_texture is true.")
    formats = body.get("target_formats")
    if formats is not None and "glb" not in formats:
        raise InvalidParameter("target_formats must contain glb; this engine makes no other format.")
    if body.get("texture_image_urls") and (body.get("texture_prompt") or body.get("texture_image_url")):
        raise InvalidParameter("texture_image_urls cannot be sent with texture_prompt or texture_image_url.")


Check = Callable[[Any], bool]


def _one_of(*words: str) -> tuple[Check, str]:
    return lambda value: isinstance(value, str) and value in words, "one of " + ", ".join(map(repr, words))


def _whole_number(low: int, high: int) -> tuple[Check, str]:
    def is_right(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return is_right, f"a whole number from {low} to {high}"


def _text(longest: int) -> tuple[Check, str]:
    return (
        lambda value: isinstance(value, str) and len(value) <= longest,
        f"text of at most {longest} characters",
    )


_FORMATS = frozenset({"glb", "obj", "fbx", "stl", "usdz", "3mf"})
_FLAG: tuple[Check, str] = (lambda value: isinstance(value, bool), "true or false")
_FLAGS = (
    *("should_texture", "enable_pbr", "hd_texture", "remove_lighting", "image_enhancement", "moderation"),
    *("should_remesh", "save_pre_remeshed_model", "ultra_mode", "auto_size"),
    *("alpha_thumbnail", "multi_view_thumbnails"),
)
_RULES: dict[str, tuple[Check, str]] = dict.fromkeys(_FLAGS, _FLAG) | {
    "ai_model": _one_of("latest", "meshy-7.1", "meshy-7", "meshy-6", "meshy-6-lite"),
    "geometry_resolution": _one_of("standard", "2k"),
    "texture_resolution": _one_of("2k", "4k", "8k"),
    "topology": _one_of("triangle", "quad"),
    "origin_at": _one_of("bottom", "center"),
    "pose_mode": _one_of("", "a-pose", "t-pose"),
    "symmetry_mode": _one_of("off", "auto", "on"),
    "target_polycount": _whole_number(100, 300_000),
    "decimation_mode": _whole_number(1, 4),
    "texture_prompt": _text(800),
    "target_formats": (
        lambda value: (
            isinstance(value, list)
            and bool(value)
            and all(isinstance(each, str) and each in _FORMATS for each in value)
        ),
        "a list of glb, obj, fbx, stl, usdz, 3mf",
    ),
}
_TEXTURE_ONLY = (
    *("enable_pbr", "hd_texture", "remove_lighting", "texture_resolution"),
    *("texture_prompt", "texture_image_url", "texture_image_urls"),
)
_STORED_OPTIONS = ("should_texture", "target_polycount", "texture_prompt")
