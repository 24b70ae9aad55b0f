"""Shapes rendered as labelled photos, carved as in the product, and the results measured."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from acr3d import sandbox

GRID = 64
VIEWS = {  # side: the part's direction along the picture's right, and towards the camera
    "front": ((1, 0, 0), (0, 0, 1)),
    "back": ((-1, 0, 0), (0, 0, -1)),
    "left": ((0, 0, 1), (-1, 0, 0)),
    "right": ((0, 0, -1), (1, 0, 0)),
    "top": ((1, 0, 0), (0, 1, 0)),
    "bottom": ((1, 0, 0), (0, -1, 0)),
}


def rotation(axis, degrees):
    return trimesh.transformations.rotation_matrix(np.radians(degrees), axis)[:3, :3]


def photograph(
    shape, side, path, *, distance=None, tilt=0.0, lean=(0.0, 0.0), backdrop=255.0, noise=0.0, pixels=240
):
    """Render `shape` (a function of points: what is inside?) from `side`; each side has its own colour.

    `tilt` rotates the camera about its viewing axis, `lean` about the picture's right and up, in degrees.
    """
    right, towards = (np.array(way, float) for way in VIEWS[side])
    turn = rotation(right, lean[0]) @ rotation(np.cross(towards, right), lean[1]) @ rotation(towards, tilt)
    right, towards = turn @ right, turn @ towards
    up = np.cross(towards, right)
    steps = (np.arange(pixels) + 0.5) / pixels * 3 - 1.5
    across, down = np.meshgrid(steps, -steps)
    plane = across[..., None] * right + down[..., None] * up
    hit = np.zeros((pixels, pixels), bool)
    place = np.zeros((pixels, pixels, 3))
    for depth in np.linspace(1.1, -1.1, 67):  # from the nearest slice on; later ones are hidden behind it
        scale = 1 if distance is None else 1 - depth / distance
        points = plane * scale + depth * towards
        new = shape(points) & ~hit
        hit |= new
        place[new] = points[new]
    picture = np.broadcast_to(backdrop_shade(backdrop, steps), (pixels, pixels, 3)).copy()
    picture[hit] = COLOURS[side] * (0.9 + 0.1 * np.sin(9 * place[hit].sum(1)))[:, None]
    picture += np.random.default_rng(7).normal(0, noise, picture.shape) if noise else 0
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return {"path": str(path), "angle": side}


def backdrop_shade(level, steps):
    """White stays white; a darker backdrop gets a slow gradient and a colour cast."""
    if level == 255:
        return np.full((1, 1, 3), 255.0)
    shade = level - 18 * (steps[:, None] ** 2 + steps[None] ** 2)
    return shade[..., None] + np.array([4.0, 0.0, -4.0])


COLOURS = {
    "front": np.array([200.0, 40, 40]),
    "back": np.array([40.0, 160, 40]),
    "left": np.array([40.0, 60, 200]),
    "right": np.array([120.0, 90, 30]),
    "top": np.array([60.0, 60, 60]),
    "bottom": np.array([90.0, 30, 120]),
}


def random_shape(seed):
    """A few random boxes and a drum around the centre, with a hole along the depth."""
    random = np.random.default_rng(seed)
    boxes = [(random.uniform(-0.35, 0.35, 3), random.uniform(0.15, 0.5, 3)) for _ in range(3)]
    boxes.append((np.zeros(3), np.array([0.45, 0.3, 0.3])))
    hole = random.uniform(0.08, 0.15)

    def inside(points):
        solid = np.zeros(points.shape[:-1], bool)
        for middle, half in boxes:
            solid |= (np.abs(points - middle) < half).all(-1)
        drum = (np.hypot(points[..., 0], points[..., 1] - 0.2) < 0.55) & (np.abs(points[..., 2]) < 0.2)
        return (solid | drum) & (np.hypot(points[..., 0], points[..., 1]) > hole)

    return inside


def box(half):
    return lambda points: (np.abs(points) < np.array(half)).all(-1)


def carved(tmp_path, photos, **options):
    """Run the carving as the product does; return its report and its model."""
    request, out = tmp_path / "request.json", tmp_path / "out.glb"
    request.write_text(json.dumps({"images": photos, "target_polycount": 4000, "grid": GRID} | options))
    limits = sandbox.Limits(seconds=60, memory_mb=450)
    report = sandbox.run(
        "acr3d.carving",
        [str(request), str(out)],
        limits,
        reads=[],
        folder=tmp_path,
        lock=tmp_path / "heavy.lock",
    )
    return report, out


def refusal(tmp_path, photos):
    with pytest.raises(sandbox.ChildRefused) as caught:
        carved(tmp_path, photos)
    return caught.value


def solid(path):
    mesh = trimesh.load(path, force="mesh", process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    return mesh


def document(path):
    content = Path(path).read_bytes()
    return json.loads(content[20 : 20 + struct.unpack_from("<I", content, 12)[0]])


def occupied(inside, low, high, cells=80):
    step = (high - low).max() / cells
    axes = [np.arange(lo + step / 2, hi, step) for lo, hi in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return inside(points)


def likeness(mesh, shape):
    """(IoU of the model with the shape, the best IoU that silhouettes along the three axes allow)."""
    fine = np.stack(np.meshgrid(*[np.linspace(-1, 1, 161)] * 3, indexing="ij"), -1)
    where = fine[shape(fine)]
    low, high = where.min(0), where.max(0)
    mesh = mesh.copy()
    mesh.apply_translation(-mesh.bounds.mean(0))
    mesh.apply_scale((high - low).max() / mesh.extents.max())
    mesh.apply_translation((low + high) / 2)
    truth = occupied(shape, low, high)
    model = occupied(lambda points: contains(mesh, points), low, high)
    hull = truth.any(0)[None] & truth.any(1)[:, None] & truth.any(2)[:, :, None]
    return (truth & model).sum() / (truth | model).sum(), truth.sum() / hull.sum()


def contains(mesh, points):
    return mesh.ray.contains_points(points.reshape(-1, 3)).reshape(points.shape[:-1])
