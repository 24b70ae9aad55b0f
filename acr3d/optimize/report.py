"""The report: plain numbers for the job's row, and sentences for people."""

from __future__ import annotations

from typing import Any

from .facts import ModelFacts
from .geometry import GeometryResult
from .images import ImageFacts
from .textures import MapResult

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
        }
        for each in maps
    ]


def describe_steps(
    geometry: GeometryResult, maps: list[MapResult], bytes_in: int, bytes_out: int
) -> list[Report]:
    """What each step saved; the rest is what nothing in the file referred to."""
    texture_before, texture_after = sum(m.bytes_before for m in maps), sum(m.bytes_after for m in maps)
    rest_in = bytes_in - geometry.bytes_before - texture_before
    rest_out = bytes_out - geometry.bytes_after - texture_after
    return [
        _step("geometry", geometry.bytes_before, geometry.bytes_after),
        _step("textures", texture_before, texture_after),
        _step("rest", rest_in, rest_out),
    ]


def _step(name: str, before: int, after: int) -> Report:
    return {"step": name, "bytes_before": before, "bytes_after": after, "saved": before - after}


def warnings_about(facts: ModelFacts, geometry: GeometryResult | None = None) -> list[str]:
    """What a person should know before publishing this."""
    found = []
    if geometry is not None:
        found += [f"Left uncompressed: {what}." for what in geometry.left_alone]
        if geometry.degenerate:
            found.append(f"{geometry.degenerate} triangles without any area were taken out.")
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
        lines.append(f"in true size: scaled by {report['placed']['scale']:.4g}, off by {', '.join(off)}")
    for step in report.get("steps", []):
        lines.append(f"  {step['step']:<9} {step['bytes_before']:>12,} → {step['bytes_after']:>11,} bytes")
    for each in report["maps"]:
        lines.append(
            f"  {', '.join(each['kinds']) or 'unused'}: "
            + " → ".join(_image_text(each, k) for k in ("before", "after") if k in each)
        )
    return "\n".join(lines + [f"! {warning}" for warning in report["warnings"]])


def _image_text(each: Report, key: str) -> str:
    image = each[key]
    return f"{image['format']} {image['width']} × {image['height']}, {image['bytes']:,} bytes"
