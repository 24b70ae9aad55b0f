"""The optimizer without the optional package almeshopt, as on ARM servers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from acr3d.optimize import edge_collapse, pipeline
from acr3d.optimize.blender import bake
from acr3d.optimize.steps import simplify
from tests.support.optimize_glbs import Builder, add_sphere, sphere


def test_light_and_the_file_for_ar_are_reduced_all_the_same(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=130))
    source, target, ar = (tmp_path / name for name in ("in.glb", "out.glb", "ar.glb"))
    source.write_bytes(builder.glb())
    program = (
        "import sys; sys.modules['almeshopt'] = None; from acr3d.optimize.__main__ import main;"
        f"sys.exit(main(['--level=light', '--json', '--ar={ar}', {str(source)!r}, {str(target)!r}]))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)

    report = json.loads(done.stdout.splitlines()[-1])["report"]
    assert 29_000 < report["triangles"] <= 30_000
    assert 29_000 < report["ar"]["triangles"] <= 30_000
    assert report["warnings"] == []
    assert report["truth"]["position_max_percent"] < 0.2


def test_more_triangles_than_fit_into_memory_are_kept_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simplify, "default_simplifier", lambda: edge_collapse.simplify)
    monkeypatch.setattr(edge_collapse, "MOST_TRIANGLES", 60_000)
    monkeypatch.setattr(bake, "why_unavailable", lambda: "Not here.")
    builder = Builder()
    add_sphere(builder, sphere(rings=130))
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb", "light")

    assert report["triangles"] == report["triangles_in"] == 66_822
    assert "need `make meshopt` on the server" in " ".join(report["warnings"])


def test_a_shape_without_any_attributes_is_reduced(tmp_path: Path) -> None:
    mesh = sphere(rings=30)

    faces = edge_collapse.simplify(mesh["faces"], {"POSITION": mesh["positions"]}, 1000, 1.0)

    assert 900 < len(faces) <= 1000
    middles = mesh["positions"][faces].mean(axis=1)
    assert np.linalg.norm(middles, axis=1).min() > 0.05 * 0.97
