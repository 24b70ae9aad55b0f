"""The report: numbers for programs, warnings for people, and a text version for the terminal.

Reports are stored with every model version and read back by later releases, so keys and step names stay.
"""

from __future__ import annotations

from typing import Any

from acr3d.gltf.image_header import ImageFacts
from acr3d.gltf.inspect import ModelFacts
from acr3d.optimize.deviation import Deviation
from acr3d.optimize.geometry_steps import GeometryResult
from acr3d.optimize.steps.normal_bake import BakeResult
from acr3d.optimize.steps.texture_compress import ImageResult

Report = dict[str, Any]
_MANY_DRAW_CALLS = 100
_HUGE_METRES, _TINY_METRES = 100.0, 0.001


# --- for programs ---


def describe_model(facts: ModelFacts) -> Report:
    """A model's facts; lengths in metres."""
    return {
        "triangles": facts.triangles,
        "vertices": facts.vertices,
        "draw_calls": facts.draw_calls,
        "materials": facts.materials,
        "animations": facts.animations,
        "size_m": list(facts.size) if facts.size else None,
        "gpu_bytes": facts.texture_gpu_bytes + facts.geometry_gpu_bytes,
    }


def describe_images(images: list[ImageResult]) -> list[Report]:
    """Every image before and after."""
    return [
        {
            "name": each.name,
            "kinds": list(each.kinds),
            "before": _describe_image(each.before, each.bytes_before),
            "after": _describe_image(each.after, each.bytes_after),
            "psnr_db": each.psnr,
        }
        for each in images
    ]


def _describe_image(facts: ImageFacts, length: int) -> Report:
    return {"format": facts.format, "width": facts.width, "height": facts.height, "bytes": length}


def describe_deviation(deviation: Deviation, longest: float) -> Report:
    """Distances in millimetres for a model that is `longest` metres long, and angles in degrees."""
    mean, p95 = deviation.normal_mean, deviation.normal_p95
    return {
        "position_mean_mm": round(1000 * longest * deviation.position_mean, 5),
        "position_max_mm": round(1000 * longest * deviation.position_max, 5),
        "position_max_percent": round(100 * deviation.position_max, 5),
        "normal_mean_degrees": None if mean is None else round(mean, 2),
        "normal_p95_degrees": None if p95 is None else round(p95, 2),
    }


def describe_bake(bake: BakeResult | None) -> Report | None:
    """Whether lost detail was baked into the normal map; None if the level does not do that."""
    if bake is None:
        return None
    if bake.left_out:
        return {"left_out": bake.left_out}
    return {"seconds": bake.seconds, "kept_percent": round(100 * bake.kept_share, 1)}


def describe_steps(
    geometry: GeometryResult, images: list[ImageResult], bytes_in: int, bytes_out: int
) -> list[Report]:
    """What each step saved, in order. `rest` is everything else, mainly what nothing in the file used."""
    weld, simplify, draco = geometry.weld, geometry.simplify, geometry.draco
    baked = (geometry.bake.bytes_before, geometry.bake.bytes_after) if geometry.bake else (0, 0)
    steps = [
        _step("unpack", *geometry.decoded),
        _step("clean", weld.bytes_before, weld.bytes_after),
        _step("simplify", simplify.bytes_before, simplify.bytes_after),
        _step("geometry", draco.bytes_before, draco.bytes_after),
        _step("detail", *baked),
        _step("textures", sum(i.bytes_before for i in images), sum(i.bytes_after for i in images)),
    ]
    steps = [step for step in steps if step["bytes_before"]]
    arrays = geometry.decoded[0] - geometry.decoded[1] + (weld.bytes_before or draco.bytes_before)
    rest = bytes_in - arrays - baked[0] + baked[1] - sum(i.bytes_before for i in images)
    saved = bytes_in - bytes_out - sum(step["saved"] for step in steps)
    return [*steps, _step("rest", rest, rest - saved)]


def _step(name: str, before: int, after: int) -> Report:
    return {"step": name, "bytes_before": before, "bytes_after": after, "saved": before - after}


# --- for people ---


def model_warnings(facts: ModelFacts, geometry: GeometryResult | None = None) -> list[str]:
    """What a person should know before publishing the model."""
    found = _geometry_warnings(geometry) if geometry else []
    if facts.not_shown:
        names = ", ".join(name[:60] for name in facts.not_shown)
        found.append(
            f"The file requires {names}. Browsers do not support that and show the model without it."
        )
    if facts.has_bom:
        found.append(
            "The source's JSON starts with a byte order mark, which glTF does not allow. "
            "Some programs cannot open it."
        )
    if facts.draw_calls == 0:
        found.append("The scene is empty: none of its nodes has a mesh.")
    if facts.draw_calls > _MANY_DRAW_CALLS:
        found.append(f"The model takes {facts.draw_calls} draw calls, which is slow on phones.")
    if facts.size and not _TINY_METRES <= facts.longest_side <= _HUGE_METRES:
        found.append(
            f"The model is {facts.longest_side:.4g} m long, which is unusual for a part. Check its scale."
        )
    return found


def simplify_warnings(geometry: GeometryResult) -> list[str]:
    """What was not simplified, and why."""
    return [f"Not simplified: {what}." for what in geometry.simplify.left_alone]


def _geometry_warnings(geometry: GeometryResult) -> list[str]:
    found = simplify_warnings(geometry)
    if geometry.bake and geometry.bake.has_failed:
        found.append(f"The lost detail was not baked into the normal map. {geometry.bake.left_out}")
    found += [f"Not compressed: {what}." for what in geometry.draco.left_alone]
    if geometry.degenerate:
        found.append(f"{geometry.degenerate} triangles without area were removed.")
    return found


def as_text(report: Report) -> str:
    """The report for a person at a terminal."""
    size = " × ".join(f"{side * 1000:.1f}" for side in report["size_m"] or []) or "nothing shown"
    lines = [
        f"{report['bytes_in']:,} bytes"
        + (f" in, {report['bytes_out']:,} out" if "bytes_out" in report else ""),
        f"{report['triangles']:,} triangles, {report['vertices']:,} vertices",
        f"{report['draw_calls']} draw calls, {report['materials']} materials",
        f"size in mm: {size}; about {report['gpu_bytes'] / 1e6:.0f} MB of GPU memory",
    ]
    if report.get("placed"):
        lines.append(_placement_text(report["placed"]))
    for step in report.get("steps", []):
        lines.append(f"  {step['step']:<9} {step['bytes_before']:>12,} → {step['bytes_after']:>11,} bytes")
    for each in report["maps"]:
        images = [_image_text(each[key]) for key in ("before", "after") if key in each]
        lines.append(f"  {', '.join(each['kinds']) or 'unused'}: {' → '.join(images)}")
    lines += _quality_text(report) + _bake_text(report.get("detail"))
    if report.get("ar"):
        lines.append(_ar_text(report["ar"]))
    return "\n".join(lines + [f"Warning: {warning}" for warning in report["warnings"]])


def _placement_text(placed: Report) -> str:
    # Adding 0 avoids a minus sign before a zero.
    off = [f"{side} {round(percent, 1) + 0:+.1f} %" for side, percent in placed["deviation_percent"].items()]
    turned = f"turned {placed['turned']}, " if placed["turned"] else ""
    differs = f", differs from the requested size by {', '.join(off)}" if off else ""
    return f"placed: {turned}scaled by {placed['scale']:.4g}{differs}"


def _quality_text(report: Report) -> list[str]:
    health, deviation, lines = report.get("condition"), report.get("truth"), []
    if health:
        lines.append("pieces: {pieces}, holes: {holes}, pieces inside out: {inside_out}".format(**health))
    if deviation:
        lines.append("largest deviation: {position_max_mm} mm ({position_max_percent} %)".format(**deviation))
    return lines


def _bake_text(bake: Report | None) -> list[str]:
    if bake is None:
        return []
    if "left_out" in bake:
        return [f"no detail baked into the normal map: {bake['left_out']}"]
    return [
        "detail baked into the normal map in {seconds} s, {kept_percent} % of it unchanged".format(**bake)
    ]


def _ar_text(ar: Report) -> str:
    if "left_out" in ar:
        return f"no file for AR: {ar['left_out']}"
    return f"for AR: {ar['bytes']:,} bytes, {ar['triangles']:,} triangles"


def _image_text(image: Report) -> str:
    return f"{image['format']} {image['width']} × {image['height']}, {image['bytes']:,} bytes"
