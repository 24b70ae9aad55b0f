"""A network's answers without a network, for tests of what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from acr3d.outlines import finding, method
from acr3d.outlines.finding import StoredPhoto
from acr3d.outlines.method import LearnedCutout
from acr3d.storage.blobs import storage

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class FakeNetwork:
    """Stands in for the child that runs the network; `looks` counts the photos that it was shown."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.works = True
        self.looks = 0

    def cut_out(
        self, photos: Sequence[StoredPhoto], _learned: LearnedCutout, folder: Path, _stop: Event
    ) -> bool:
        for number, photo in enumerate(photos):
            self.looks += 1
            with Image.open(storage().path(photo.key)) as image:
                alpha = self.answer(np.asarray(image.convert("RGB")))
            Image.fromarray((alpha * 255).astype(np.uint8)).save(folder / f"{number}.png")
        return self.works


def install(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> FakeNetwork:
    """Let the app believe that a network is installed, and have `answer` give its alphas."""
    network = FakeNetwork(answer)
    monkeypatch.setattr(method, "_model", lambda _config: method.GRAPH)
    monkeypatch.setattr(finding, "_cut_out", network.cut_out)
    return network
