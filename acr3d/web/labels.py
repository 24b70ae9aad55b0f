"""The words people read for levels, engines, models and other codes. Statuses: `acr3d.web.badges`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from acr3d.db.models import ANGLES, MODEL_LEVELS, Job, ModelVersion, Part, PartImage
from acr3d.db.states import Status
from acr3d.engines.base import Provider
from acr3d.engines.registry import known
from acr3d.foreign import Facts
from acr3d.jobs.true_size import SizeState, TrueSize
from acr3d.messages.wording import worded
from acr3d.orders import engine_models
from acr3d.parts.angles import angle_name
from acr3d.shop import options
from acr3d.web import vendor

_CAMERA_ATTRIBUTES = ("camera-orbit", "camera-target", "field-of-view")
_POSTER_SIDE = 800


ENCODING_NAMES = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252"}


def delimiter_names() -> dict[str, str]:
    """The delimiters of CSV files, in words."""
    return {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Vertical bar")}


def cancel_question(job: Job, order_is_open: bool) -> str:
    """The question before a job is canceled: what happens to its credits, as far as is known.

    `order_is_open`: an order was sent and has not been answered.
    """
    credits, engine = job.estimated_credits, engine_name(job.engine)
    if not credits:
        return str(_("Cancel this job? It costs no credits."))
    if job.status == Status.SUBMITTED:
        sentence = _(
            "Cancel this job? If %(engine)s has not started yet, its credits (about %(n)s) are refunded; "
            "otherwise they are spent."
        )
    elif job.status == Status.PENDING and not order_is_open:
        sentence = _("Cancel this job? Nothing has been sent to %(engine)s yet, so no credits are spent.")
    elif job.status == Status.PENDING:
        sentence = _(
            "Cancel this job? It is not known yet whether %(engine)s received the order. If it did and has "
            "started, about %(n)s credits are spent."
        )
    else:
        sentence = _(
            "Cancel this job? %(engine)s has already started, so its credits (about %(n)s) are spent either "
            "way."
        )
    return str(sentence % {"engine": engine, "n": credits})


def levels() -> list[tuple[str, str]]:
    """The levels a model can be optimized for, with their descriptions."""
    words = {
        "web": _("All devices (all triangles, small textures)"),
        "light": _("Phones (at most 30,000 triangles)"),
        "full": _("Full quality (full-size textures)"),
    }
    return [(level, words[level]) for level in MODEL_LEVELS]


def level_name(level: str) -> str:
    """The short name of a level."""
    words = {"web": _("all devices"), "light": _("phones"), "full": _("full quality")}
    return str(words[level])


def backgrounds() -> list[tuple[str, str]]:
    """What customers may see of a photo; the first leaves it to the shop."""
    words = {"taken": _("as taken"), "white": _("on white")}
    shop = words[options.current().shop.photo_background]
    return [("", _("shop: %(what)s", what=shop)), *words.items()]


def turns() -> list[tuple[str, str]]:
    """How a model can be turned by right angles, as seen from its front."""
    return [
        ("x90", _("tip forward")),
        ("x270", _("tip backward")),
        ("y270", _("turn left")),
        ("y90", _("turn right")),
        ("y180", _("turn around")),
        ("z90", _("roll left")),
        ("z270", _("roll right")),
        ("x180", _("turn upside down")),
    ]


def turned_further(version: ModelVersion, step: str) -> str:
    """The turn of the raw model that turns this version by one more `step`."""
    turned = report_facts(version, "optimizer").part("placed").text("turned")
    return ",".join(filter(None, (turned, step)))


def engine_name(engine: str) -> str:
    """The name of an engine, also of one that is not set up here."""
    found = known(engine)
    return worded(found.wording.name) if found else engine


def job_engine(job: Job) -> str:
    """The engine of a job, and whether it works from a spin capture."""
    name = engine_name(job.engine)
    return str(_("%(engine)s, spin", engine=name)) if job.capture_ids else name


def engines_with_options(providers: Iterable[Provider]) -> list[str]:
    """The names of the engines whose options the Generate form shows."""
    return [
        worded(provider.wording.name)
        for provider in providers
        if any(option.on_form for option in provider.options.values())
    ]


def engine_offer(provider: Provider) -> str:
    """An engine as a choice on the Generate form, with about what a model costs."""
    name, credits = worded(provider.wording.name), engine_models.price(provider, {})
    if not credits:
        return str(_("%(engine)s, free", engine=name))
    return str(
        ngettext(
            "%(engine)s, about %(num)s credit", "%(engine)s, about %(num)s credits", credits, engine=name
        )
    )


def price(provider: Provider) -> str:
    """About what a model costs, for the Generate button."""
    return credits_about(engine_models.price(provider, {}))


def credits_about(credits: int) -> str:
    """A price that is an estimate."""
    if not credits:
        return str(_("free"))
    return str(ngettext("about %(num)s credit", "about %(num)s credits", credits))


def photo_alt(image: PartImage, part: Part) -> str:
    """The photo's alt text: its own, or else the part's name and the angle."""
    if image.alt_text:
        return image.alt_text
    return f"{part.name}, {angle_name(image.angle_label).lower()}" if image.angle_label else part.name


def model_alt(part: Part, size_mm: Mapping[str, float] | None = None, sides: Collection[str] = ()) -> str:
    """The 3D model in words: name, size, and the sides that photos show, as far as they are given."""
    names = [angle_name(side).lower() for side in ANGLES if side in sides]
    words = [str(_("3D model of %(name)s", name=part.name))]
    if size_mm:
        size = {side: format_decimal(mm, format="#,##0.#") for side, mm in size_mm.items()}
        words.append(str(_("%(width)s mm wide, %(height)s mm high and %(depth)s mm deep", **size)))
    if names:
        words.append(str(_("made from photos of these sides: %(sides)s", sides=", ".join(names))))
    return ", ".join(words)


def report_facts(version: ModelVersion, program: str) -> Facts:
    """What `program` reported about the version: optimizer, engine, agreement or poster.

    Earlier releases, and engines of another make, reported less or in another shape.
    """
    return Facts(version.report).part(program)


def agreement(version: ModelVersion) -> str | None:
    """How well the model's outlines match its photos, as a sentence; None if not known."""
    report = report_facts(version, "agreement")
    found, by_side = report.number("all"), report.part("sides")
    sides = {side: share for side in ANGLES if (share := by_side.number(side)) is not None}
    if found is None or not sides:
        return None
    side = min(sides, key=lambda name: sides[name])
    share, least = round(100 * found), round(100 * sides[side])
    if least >= share:
        return str(_("The outlines agree with the photos to %(share)s%%.", share=share))
    words = {"share": share, "side": angle_name(side).lower(), "least": least}
    return str(_("The outlines agree with the photos to %(share)s%%; least: %(side)s, %(least)s%%.", **words))


def is_front_unsure(version: ModelVersion) -> bool:
    """Whether the photos do not show which side of the model is its front."""
    return not report_facts(version, "agreement").flag("is_sure", default=True)


def starting_camera(version: ModelVersion) -> dict[str, str]:
    """The <model-viewer> attributes for the poster's camera; empty without a poster."""
    camera = report_facts(version, "poster").part("camera")
    return {name: value for name in _CAMERA_ATTRIBUTES if (value := camera.text(name))}


def poster_size(version: ModelVersion) -> tuple[int, int]:
    """The poster's width and height in pixels."""
    poster = report_facts(version, "poster")
    return poster.whole("width") or _POSTER_SIDE, poster.whole("height") or _POSTER_SIDE


def size_sentence(size: TrueSize) -> str:
    """What a model's size means for AR; empty when there is nothing to say."""
    off = [
        _("%(side)s %(percent)s%% off", side=side_name(side.name), percent=round(abs(deviation)))
        for side in size.sides
        if side.is_off and (deviation := side.deviation_percent)
    ]
    sentences: dict[SizeState, str] = {
        SizeState.TRUE: _sheet_sentence(size),
        SizeState.MEASURED: _("The capture sheet gave the model's size, so AR shows it in true size."),
        SizeState.CONFIRMED: _(
            "The model differs from the part's sizes (%(sides)s), but its size was confirmed.",
            sides=", ".join(off),
        ),
        SizeState.CONTRADICTED: _(
            "The model's proportions contradict the part's sizes (%(sides)s), so AR does not show it in true "
            "size. Check the sizes and the photos' angles.",
            sides=", ".join(off),
        ),
        SizeState.NOT_APPLIED: _(
            "The part's sizes were changed after this model was made, so AR does not show it in true size."
        ),
        SizeState.UNKNOWN: _("The part has no sizes, so AR does not show the model in true size."),
    }
    return sentences[size.state]


def _sheet_sentence(size: TrueSize) -> str:
    if size.sheet_printed_at is None:
        return ""
    return str(
        _(
            "By the part's sizes, the capture sheet was printed at %(percent)s%%. The model has the part's "
            "sizes. Print the sheet at 100%% and check its 100 mm line before the next capture; or correct "
            "the sizes.",
            percent=round(size.sheet_printed_at),
        )
    )


def side_name(name: str) -> str:
    """The word for width, height or depth."""
    names: dict[str, str] = {"width": _("width"), "height": _("height"), "depth": _("depth")}
    return names.get(name, "")


def bytes_to_load(file_size_bytes: int) -> int:
    """How much a browser loads to show a model's file: with the viewer, and the decoder."""
    return file_size_bytes + vendor.VIEWER_BYTES


def model_size_mm(size: TrueSize) -> dict[str, float] | None:
    """The sides of a model of true size in millimetres, as typed where it agrees; None if not known."""
    if not size.is_true:
        return None
    sides = {
        side.name: side.model_mm if side.is_off else side.part_mm or side.model_mm for side in size.sides
    }
    return {name: mm for name, mm in sides.items() if mm} if all(sides.values()) else None


def guesses(version: ModelVersion) -> list[str]:
    """What the built-in engine assumed about the shape beyond the photos' outlines."""
    return [said for one in report_facts(version, "engine").parts("guesses") if (said := _guess(one))]


def _guess(guess: Facts) -> str | None:
    axis = side_name(guess.text("axis"))
    if not axis:
        return None
    if guess.text("kind") == "mirrored":
        return str(_("Assumed: symmetric across its %(axis)s.", axis=axis))
    if guess.flag("whole", default=False):
        return str(_("Assumed: round about its %(axis)s axis.", axis=axis))
    return str(_("Assumed: partly round about its %(axis)s axis.", axis=axis))


def size_name(part: Part) -> str:
    """The names of the known sizes, in display order."""
    known = ((part.width_mm, _("Width")), (part.height_mm, _("Height")), (part.depth_mm, _("Depth")))
    return " × ".join(word for value, word in known if value)
