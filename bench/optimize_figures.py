"""The targets for acr3d.optimize compared with other tools, and whether they are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.optimize_runs import GT, OURS, OURS_1, PIPELINE, Row

_TIE = 0.001


@dataclass(frozen=True)
class Figure:
    """A measured number and its limit: a maximum, or a minimum if more is better."""

    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return (
            f"{'met   ' if self.is_met else 'missed'} {self.what}: {self.value:.4g} {sign} {self.limit:.4g}"
        )


@dataclass(frozen=True)
class Kind:
    """What a file's figures depend on."""

    has_png: bool
    is_4096: bool


def beside_peers(file: str, kind: Kind, rows: dict[str, Row]) -> Iterator[Figure]:
    """The figures of one file, optimized by all tools."""
    ours, gt = rows[OURS], rows[GT]
    yield Figure(f"{file}, bytes of gt's", ours.bytes_out / gt.bytes_out, 0.85 if kind.is_4096 else 0.90)
    if ours.worst is not None and gt.worst is not None:
        yield Figure(f"{file}, worst SSIM over gt's", ours.worst - gt.worst, -_TIE, at_least=True)
    yield Figure(f"{file}, wall time of gt's", ours.median("wall") / gt.median("wall"), 0.9)
    yield Figure(f"{file}, peak memory of gt's", ours.median("peak_mb") / gt.median("peak_mb"), 0.55)
    if not kind.is_4096:
        yield Figure(f"{file}, MB with one thread", rows[OURS_1].median("peak_mb"), 130)
    share = ours.bytes_out / rows[PIPELINE].bytes_out
    yield Figure(f"{file}, bytes of gltf-pipeline's", share, 0.07 if kind.has_png else 0.35)


def heavy(megabytes: float, peak_mb: float) -> Figure:
    """The memory for a file of about forty megabytes."""
    return Figure(f"{megabytes:.0f} MB with 4096² maps, MB with one thread", peak_mb, 230)


def beside_gltfpack(file: str, ours: Row, theirs: Row) -> Iterator[Figure]:
    """The figures of geometry alone, at one triangle count; `bytes_out` is the geometry's."""
    yield Figure(f"{file}, reduced, geometry of gltfpack's", ours.bytes_out / theirs.bytes_out, 1)
    if ours.worst is not None and theirs.worst is not None:
        yield Figure(
            f"{file}, reduced, worst SSIM over gltfpack's", ours.worst - theirs.worst, 0, at_least=True
        )


def with_blender(gains: list[float]) -> str:
    """What baking gains in the worst view of each file. It may be missed, for a documented reason."""
    reached = sum(gain >= 0.01 for gain in gains)
    why = "" if reached >= 2 else "; docs/decisions/0027-optimizer-blender.md says why"
    told = ", ".join(f"{gain:+.4f}" for gain in gains)
    return f"{'met   ' if reached >= 2 else 'argued'} Blender, worst SSIM over without: {told}{why}"
