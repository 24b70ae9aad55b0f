"""`flask parts import … --photos`: photos from a folder or a ZIP file, to the parts that their names tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from acr3d.imports import photos
from acr3d.imports.photo_files import PhotoFiles
from acr3d.imports.photos import PhotoAction, PhotoOutcome

_MOST_SHOWN = 50


def preview(place: Path, more_skus: Iterable[str]) -> int:
    """Say which part each photo would go to; returns how many files would be left out."""
    with PhotoFiles(place) as source:
        outcomes = list(photos.preview(source, more_skus))
    for one in outcomes[:_MOST_SHOWN]:
        if one.action == PhotoAction.ADDED:
            click.echo(f"  {one.path} → {one.sku}")
    return _report(outcomes)


def bring(place: Path) -> int:
    """Add the photos; returns how many files were left out."""
    outcomes = []
    with (
        PhotoFiles(place) as source,
        click.progressbar(length=sum(1 for _file in source.files()), label="Photos") as bar,
    ):
        for one in photos.bring(source):
            bar.update(1)
            outcomes.append(one)
    return _report(outcomes)


def _report(outcomes: list[PhotoOutcome]) -> int:
    left_out = [one for one in outcomes if one.action == PhotoAction.LEFT_OUT]
    for one in left_out[:_MOST_SHOWN]:
        click.echo(f"  {one.path}: {one.problem}", err=True)
    if len(left_out) > _MOST_SHOWN:
        click.echo(f"  … and {len(left_out) - _MOST_SHOWN} more.", err=True)
    counts = Counter(one.action for one in outcomes)
    click.echo(
        f"Photos: {counts[PhotoAction.ADDED]}. Present already: {counts[PhotoAction.PRESENT]}. "
        f"Left out: {counts[PhotoAction.LEFT_OUT]}."
    )
    return len(left_out)
