"""The engine's and optimizer's report on a model version, for staff. Earlier releases reported less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _

from acr3d.db.models import ModelVersion
from acr3d.foreign import Facts
from acr3d.messages.message import Message
from acr3d.messages.wording import worded
from acr3d.storage.file_size import file_size
from acr3d.web.labels import level_name, report_facts

Rows = list[tuple[str, str]]
_MOST_BYTES = 2**53


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
    report, engine = report_facts(version, "optimizer"), report_facts(version, "engine")
    facts = [*_facts(version, report), *_engine_facts(engine)]
    return ModelReport(
        [(name, value) for name, value in facts if value],
        [*_unseen_axis(engine), *_doubts(engine), *_concerns(report.part("condition"))],
        [(_map_name(one), _map_change(one)) for one in report.parts("maps")],
        [
            (_step_name(one.text("step")), _saved(saved))
            for one in report.parts("steps")
            if (saved := one.number("saved"))
        ],
        [*engine.texts("guessed"), *report.texts("warnings")],
    )


def _engine_facts(report: Facts) -> Rows:
    """The built-in engine's own figures; Meshy reports none."""
    return [
        (_("Shape confidence"), _share(report.number("sureness"))),
        (_("Texture from photos"), _share(report.number("texture_seen"))),
    ]


def _share(part: float | None) -> str:
    return "" if part is None else format_percent(part)


def _facts(version: ModelVersion, report: Facts) -> Rows:
    size = [format_decimal(round(1000 * side, 1)) for side in report.numbers("size_m")]
    return [
        (_("Optimized for"), level_name(version.level)),
        (_("File size"), _from_to(report, "bytes_in", "bytes_out", file_size)),
        (_("Triangles"), _from_to(report, "triangles_in", "triangles", format_decimal)),
        (_("Vertices"), _from_to(report, "vertices_in", "vertices", format_decimal)),
        (_("Draw calls"), str(report.whole("draw_calls") or "")),
        (_("Dimensions"), f"{' × '.join(size)} mm" if size else ""),
        (_("Turned"), report.part("placed").text("turned")),
        (_("GPU memory"), file_size(gpu) if (gpu := report.whole("gpu_bytes", _MOST_BYTES)) else ""),
        (_("Accuracy"), _accuracy(report.part("truth"))),
        (_("Android AR file"), _ar(version, report.part("ar"))),
    ]


def _from_to(report: Facts, old: str, new: str, say: Callable[[int], str]) -> str:
    before, after = report.whole(old, _MOST_BYTES), report.whole(new, _MOST_BYTES)
    if after is None:
        return ""
    return str(say(after)) if before in (None, after) else f"{say(before or 0)} → {say(after)}"


def _accuracy(truth: Facts) -> str:
    distance, angle = truth.number("position_max_mm"), truth.number("normal_mean_degrees")
    if distance is None:
        return ""
    off = format_decimal(round(distance, 3))
    if angle is None:
        return str(_("within %(mm)s mm", mm=off))
    turned = format_decimal(angle)
    return str(_("within %(mm)s mm, surface normals within %(degrees)s° on average", mm=off, degrees=turned))


def _ar(version: ModelVersion, ar: Facts) -> str:
    if version.ar_file_size_bytes:
        return file_size(version.ar_file_size_bytes)
    why = ar.text("left_out")
    return str(_("none: %(why)s", why=why)) if why else ""


def _unseen_axis(report: Facts) -> list[str]:
    """What photos along one axis leave open: the part's extent along it."""
    sentences = {
        "width": _("The photos show no more than the left and right sides, so the width is a guess."),
        "height": _("The photos show no more than the top and bottom, so the height is a guess."),
        "depth": _("The photos show no more than the front and back, so the depth is a guess."),
    }
    seen = report.texts("axes_seen")
    return [sentences[axis] for axis in seen if axis in sentences] if len(seen) == 1 else []


def _doubts(report: Facts) -> list[str]:
    """What did not fit in the photos that the built-in engine made a model of nevertheless."""
    return [said for doubt in report.objects("doubts") if (said := worded(Message.from_json(doubt, "")))]


def _concerns(condition: Facts) -> list[str]:
    said: list[str] = []
    if holes := condition.whole("holes"):
        said.append(
            ngettext(
                "The surface has %(num)s hole; the inside is visible through it.",
                "The surface has %(num)s holes; the inside is visible through them.",
                holes,
            )
        )
    if (pieces := condition.whole("pieces") or 0) > 1:
        said.append(_("The model has %(num)s separate pieces.", num=pieces))
    if turned := condition.whole("inside_out"):
        said.append(
            ngettext(
                "%(num)s piece is inside out and may be invisible.",
                "%(num)s pieces are inside out and may be invisible.",
                turned,
            )
        )
    return said


def _map_name(one: Facts) -> str:
    names = {
        "base colour": _("colour"),
        "metal and roughness": _("metallic and roughness"),
        "normal": _("normals"),
        "occlusion": _("ambient occlusion"),
        "emission": _("emission"),
    }
    return ", ".join(names.get(kind, kind) for kind in one.texts("kinds")) or str(_("unused"))


def _map_change(one: Facts) -> str:
    change = f"{_image(one.part('before'))} → {_image(one.part('after'))}"
    noise = one.number("psnr_db")
    return f"{change}, {format_decimal(noise)} dB" if noise else change


def _image(image: Facts) -> str:
    side = f"{image.whole('width') or '?'} × {image.whole('height') or '?'}"
    return f"{image.text('format').upper()} {side}, {file_size(image.whole('bytes') or 0)}"


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


def _saved(saved: float) -> str:
    return f"−{file_size(int(saved))}" if saved > 0 else f"+{file_size(int(-saved))}"
