"""The engine's and optimizer's report on a model version, for staff. Earlier releases reported less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _

from acr3d.db.models import ModelVersion
from acr3d.storage.file_size import file_size
from acr3d.web.labels import level_name

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class ModelReport:
    """Facts by name, concerns to check before publishing, textures, steps, and notes of the programs.

    The notes are in English.
    """

    facts: Rows
    concerns: list[str]
    maps: Rows
    steps: Rows
    notes: list[str]


def model_report(version: ModelVersion) -> ModelReport:
    """The report on `version`, in the reader's language."""
    report, engine = (version.report.get(name) or {} for name in ("optimizer", "engine"))
    facts = [*_facts(version, report), *_engine_facts(engine)]
    return ModelReport(
        [(name, value) for name, value in facts if value],
        _concerns(report.get("condition") or {}),
        [(_map_name(one), _map_change(one)) for one in report.get("maps", [])],
        [(_step_name(one["step"]), _saved(one)) for one in report.get("steps", []) if one["saved"]],
        [*engine.get("guessed", []), *report.get("warnings", [])],
    )


def _engine_facts(report: dict[str, Any]) -> Rows:
    """The built-in engine's own figures; Meshy reports none."""
    return [
        (_("Shape confidence"), _share(report.get("sureness"))),
        (_("Texture from photos"), _share(report.get("texture_seen"))),
    ]


def _share(part: float | None) -> str:
    return "" if part is None else format_percent(part)


def _facts(version: ModelVersion, report: dict[str, Any]) -> Rows:
    size = [format_decimal(round(1000 * side, 1)) for side in report.get("size_m") or []]
    return [
        (_("Optimized for"), level_name(version.level)),
        (_("File size"), _from_to(report.get("bytes_in"), report.get("bytes_out"), file_size)),
        (_("Triangles"), _from_to(report.get("triangles_in"), report.get("triangles"), format_decimal)),
        (_("Vertices"), _from_to(report.get("vertices_in"), report.get("vertices"), format_decimal)),
        (_("Draw calls"), str(report.get("draw_calls") or "")),
        (_("Dimensions"), f"{' × '.join(size)} mm" if size else ""),
        (_("Turned"), str((report.get("placed") or {}).get("turned") or "")),
        (_("GPU memory"), file_size(report["gpu_bytes"]) if report.get("gpu_bytes") else ""),
        (_("Accuracy"), _accuracy(report.get("truth"))),
        (_("Android AR file"), _ar(version, report.get("ar"))),
    ]


def _from_to(before: int | None, after: int | None, say: Any) -> str:
    if after is None:
        return ""
    return str(say(after)) if before in (None, after) else f"{say(before)} → {say(after)}"


def _accuracy(truth: dict[str, Any] | None) -> str:
    if not truth:
        return ""
    off = format_decimal(round(truth["position_max_mm"], 3))
    if truth["normal_mean_degrees"] is None:
        return str(_("within %(mm)s mm", mm=off))
    turned = format_decimal(truth["normal_mean_degrees"])
    return str(_("within %(mm)s mm, surface normals within %(degrees)s° on average", mm=off, degrees=turned))


def _ar(version: ModelVersion, ar: dict[str, Any] | None) -> str:
    if version.ar_file_size_bytes:
        return file_size(version.ar_file_size_bytes)
    return str(_("none: %(why)s", why=ar["left_out"])) if ar and "left_out" in ar else ""


def _concerns(condition: dict[str, int]) -> list[str]:
    said: list[str] = []
    if holes := condition.get("holes"):
        said.append(
            ngettext(
                "The surface has %(num)s hole; the inside is visible through it.",
                "The surface has %(num)s holes; the inside is visible through them.",
                holes,
            )
        )
    if (pieces := condition.get("pieces", 0)) > 1:
        said.append(_("The model has %(num)s separate pieces.", num=pieces))
    if turned := condition.get("inside_out"):
        said.append(
            ngettext(
                "%(num)s piece is inside out and may be invisible.",
                "%(num)s pieces are inside out and may be invisible.",
                turned,
            )
        )
    return said


def _map_name(one: dict[str, Any]) -> str:
    names = {
        "base colour": _("colour"),
        "metal and roughness": _("metallic and roughness"),
        "normal": _("normals"),
        "occlusion": _("ambient occlusion"),
        "emission": _("emission"),
    }
    return ", ".join(names.get(kind, kind) for kind in one["kinds"]) or str(_("unused"))


def _map_change(one: dict[str, Any]) -> str:
    change = f"{_image(one['before'])} → {_image(one['after'])}"
    return f"{change}, {format_decimal(one['psnr_db'])} dB" if one.get("psnr_db") else change


def _image(image: dict[str, Any]) -> str:
    side = f"{image['width']} × {image['height']}"
    return f"{image['format'].upper()} {side}, {file_size(image['bytes'])}"


def _step_name(step: str) -> str:
    names = {
        "unpack": _("Decoded"),
        "clean": _("Welded and cleaned"),
        "simplify": _("Simplified"),
        "geometry": _("Geometry compressed"),
        "textures": _("Textures"),
        "rest": _("Unused data"),
    }
    return str(names.get(step, step))


def _saved(step: dict[str, Any]) -> str:
    saved = step["saved"]
    return f"−{file_size(saved)}" if saved > 0 else f"+{file_size(-saved)}"
