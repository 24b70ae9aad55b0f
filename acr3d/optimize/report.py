"""The report: plain numbers for the job's row, and sentences for people."""

from __future__ import annotations

from typing import Any

from acr3d.gltf.image_header import ImageFacts
from acr3d.optimize.deviation import Truth
from acr3d.optimize.inspect import ModelFacts
from acr3d.optimize.steps.geometry_steps import Shaped
from acr3d.optimize.steps.normal_bake import Detail
from acr3d.optimize.steps.textures import MapResult

Report = dict[str, Any]
_MANY_DRAW_CALLS = 100
_HUGE_METRES, _TINY_METRES = 100.0, 0.001


def describe(facts: ModelFacts) -> Report:
    """A model's facts, ready for JSON; lengths in metres."""
    return {
        "triangles": facts.triangles,
        "vertices": facts.vertices,
        "draw_calls": facts.draw_calls,
        "materials": facts.materials,
        "animations": facts.animations,
        "size_m": list(facts.size) if facts.size else None,
        "gpu_bytes": facts.texture_gpu_bytes + facts.geometry_gpu_bytes,
    }


def describe_image(facts: ImageFacts, length: int) -> Report:
    """One image's format, pixels and bytes."""
    return {"format": facts.format, "width": facts.width, "height": facts.height, "bytes": length}


def describe_maps(maps: list[MapResult]) -> list[Report]:
    """Every image before and after."""
    return [
        {
            "name": each.name,
            "kinds": list(each.kinds),
            "before": describe_image(each.before, each.bytes_before),
            "after": describe_image(each.after, each.bytes_after),
            "psnr_db": each.psnr,
        }
        for each in maps
    ]


def describe_truth(truth: Truth, longest: float) -> Report:
    """Deviations in millimetres of a model that is `longest` metres long, and angles in degrees."""
    return {
        "position_mean_mm": round(1000 * longest * truth.position_mean, 5),
        "position_max_mm": round(1000 * longest * truth.position_max, 5),
        "position_max_percent": round(100 * truth.position_max, 5),
        "normal_mean_degrees": None if truth.normal_mean is None else round(truth.normal_mean, 2),
        "normal_p95_degrees": None if truth.normal_p95 is None else round(truth.normal_p95, 2),
    }


def describe_detail(detail: Detail | None) -> Report | None:
    """Whether the detail that the triangles lost was baked into the normal map; None where none is."""
    if detail is None:
        return None
    if detail.left_out:
        return {"left_out": detail.left_out}
    return {"seconds": detail.seconds, "kept_percent": round(100 * detail.kept_share, 1)}


def describe_steps(shaped: Shaped, maps: list[MapResult], bytes_in: int, bytes_out: int) -> list[Report]:
    """What each step saved, one after the other; the rest is what nothing in the file referred to."""
    clean, simplify, geometry = shaped.clean, shaped.simplify, shaped.geometry
    baked = (shaped.detail.bytes_before, shaped.detail.bytes_after) if shaped.detail else (0, 0)
    steps = [
        _step("unpack", *shaped.unpacked),
        _step("clean", clean.bytes_before, clean.bytes_after),
        _step("simplify", simplify.bytes_before, simplify.bytes_after),
        _step("geometry", geometry.bytes_before, geometry.bytes_after),
        _step("detail", *baked),
        _step("textures", sum(m.bytes_before for m in maps), sum(m.bytes_after for m in maps)),
    ]
    steps = [step for step in steps if step["bytes_before"]]
    arrays = shaped.unpacked[0] - shaped.unpacked[1] + (clean.bytes_before or geometry.bytes_before)
    rest = bytes_in - arrays - baked[0] + baked[1] - sum(m.bytes_before for m in maps)
    saved = bytes_in - bytes_out - sum(step["saved"] for step in steps)
    return [*steps, _step("rest", rest, rest - saved)]


def _step(name: str, before: int, after: int) -> Report:
    return {"step": name, "bytes_before": before, "bytes_after": after, "saved": before - after}


def warnings_about(facts: ModelFacts, shaped: Shaped | None = None) -> list[str]:
    """What a person should know before publishing this."""
    found = []
    if shaped is not None:
        found += [f"Not reduced: {what}." for what in shaped.simplify.left_alone]
        if shaped.detail and shaped.detail.has_failed:
            found.append(f"Detail was not baked into the normal map. {shaped.detail.left_out}")
        found += [f"Left uncompressed: {what}." for what in shaped.geometry.left_alone]
        if shaped.degenerate:
            found.append(f"{shaped.degenerate} triangles without any area were taken out.")
    if facts.not_shown:
        names = ", ".join(name[:60] for name in facts.not_shown)
        found.append(f"The file requires {names}, which browsers do not know: they show it without.")
    if facts.draw_calls == 0:
        found.append("The scene shows nothing: no node of it holds a mesh.")
    if facts.draw_calls > _MANY_DRAW_CALLS:
        found.append(f"The model is drawn in {facts.draw_calls} pieces, which is slow on phones.")
    longest = max(facts.size) if facts.size else None
    if longest is not None and not _TINY_METRES <= longest <= _HUGE_METRES:
        found.append(f"The model is {longest:.4g} m long, which is odd for a part: check its scale.")
    return found


def as_text(report: Report) -> str:
    """The report for a person at a terminal."""
    size = " × ".join(f"{side * 1000:.1f}" for side in report["size_m"] or []) or "nothing shown"
    lines = [
        f"{report['bytes_in']:,} bytes"
        + (f" in, {report['bytes_out']:,} out" if "bytes_out" in report else ""),
        f"{report['triangles']:,} triangles, {report['vertices']:,} vertices",
        f"{report['draw_calls']} draw calls, {report['materials']} materials",
        f"size in mm: {size}; about {report['gpu_bytes'] / 1e6:.0f} MB on the graphics card",
    ]
    if report.get("placed"):
        deviations = report["placed"]["deviation_percent"].items()
        # No minus before a zero.
        off = [f"{side} {round(percent, 1) + 0:+.1f} %" for side, percent in deviations]
        turned = f"turned {report['placed']['turned']}, " if report["placed"]["turned"] else ""
        lines.append(
            f"placed: {turned}scaled by {report['placed']['scale']:.4g}, off by {', '.join(off) or '–'}"
        )
    for step in report.get("steps", []):
        lines.append(f"  {step['step']:<9} {step['bytes_before']:>12,} → {step['bytes_after']:>11,} bytes")
    for each in report["maps"]:
        lines.append(
            f"  {', '.join(each['kinds']) or 'unused'}: "
            + " → ".join(_image_text(each, k) for k in ("before", "after") if k in each)
        )
    lines += _soundness(report) + _baked(report.get("detail"))
    if report.get("ar"):
        lines.append(_ar_text(report["ar"]))
    return "\n".join(lines + [f"! {warning}" for warning in report["warnings"]])


def _soundness(report: Report) -> list[str]:
    condition, truth, lines = report.get("condition"), report.get("truth"), []
    if condition:
        lines.append("in {pieces} pieces, with {holes} holes; {inside_out} inside out".format(**condition))
    if truth:
        lines.append("off by at most {position_max_mm} mm ({position_max_percent} %)".format(**truth))
    return lines


def _baked(detail: Report | None) -> list[str]:
    if detail is None:
        return []
    if "left_out" in detail:
        return [f"no detail baked into the normal map: {detail['left_out']}"]
    return [
        "detail baked into the normal map, in {seconds} s; {kept_percent} % of it as it was".format(**detail)
    ]


def _ar_text(ar: Report) -> str:
    if "left_out" in ar:
        return f"no file for AR: {ar['left_out']}"
    return f"for AR: {ar['bytes']:,} bytes, {ar['triangles']:,} triangles"


def _image_text(each: Report, key: str) -> str:
    image = each[key]
    return f"{image['format']} {image['width']} × {image['height']}, {image['bytes']:,} bytes"
