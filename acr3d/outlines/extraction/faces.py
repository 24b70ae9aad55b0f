"""Tell a person from a part: a face, as scikit-image's cascade finds it, with skin in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from acr3d.carving.morphology import Mask

_SIDE = 256  # pixels: a face that fills a twentieth of the picture has 60
_MIN_FACE = 40
_MIN_SKIN = 0.5  # of the face's square
_MIN_DETECTIONS = 8  # around one place; wheels and sockets are taken for a face fewer times


def shows_person(pixels: NDArray[np.uint8], skin: Mask, mask: Mask) -> bool:
    """Whether what the mask shows has a face. `pixels` is (height, width, 3), the masks have its size."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE))
    scale = pixels.shape[1] / image.width
    cascade = Cascade(lbp_frontal_face_cascade_filename())  # type: ignore[no-untyped-call]
    faces = cascade.detect_multi_scale(
        img=np.asarray(image),
        scale_factor=1.1,
        step_ratio=1.2,
        min_size=(_MIN_FACE, _MIN_FACE),
        max_size=image.size[::-1],
        min_neighbor_number=_MIN_DETECTIONS,
    )
    return any(_is_skin(face, scale, skin & mask) for face in faces)


def _is_skin(face: dict[str, int], scale: float, skin: Mask) -> bool:
    top, left = round(face["r"] * scale), round(face["c"] * scale)
    square = skin[top : top + round(face["height"] * scale), left : left + round(face["width"] * scale)]
    return bool(square.size and square.mean() > _MIN_SKIN)
