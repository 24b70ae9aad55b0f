"""Values from outside become values within bounds, or count as missing."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from acr3d.foreign import Facts, json_object, moment, number, one_line, storable, whole

ENDLESS = [math.nan, math.inf, -math.inf, 10**400, -(10**400), 1e300, 2**60]
NO_NUMBERS: list[object] = ["7", None, True, [], {}]


@pytest.mark.parametrize("value", [*ENDLESS, *NO_NUMBERS])
def test_what_is_no_number_within_reach_counts_as_missing(value: object) -> None:
    assert number(value) is None
    assert whole(value) is None
    assert moment(value) is None


@pytest.mark.parametrize(("value", "kept"), [(0, 0), (7, 7), (7.0, 7), (-1, None), (2**31, None)])
def test_a_count_fits_into_an_integer_column(value: float, kept: int | None) -> None:
    assert whole(value) == kept


def test_a_moment_is_one_that_calendars_can_show() -> None:
    assert moment(1_793_000_000_000) == datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC)
    assert [moment(value) for value in (0, -5, 2**53)] == [None, None, None]


@pytest.mark.parametrize("text", ["brushed  steel", "größe µm 🔩", "", "x" * 40])
def test_a_printable_line_stays_as_it_is(text: str) -> None:
    assert one_line(text, 40) == text


@pytest.mark.parametrize(
    "text", ["a\0b", "a\nb", "\ud800", "\u202egpj.exe", "x" * 1_000_000, "\u0301" * 900_000]
)
def test_any_text_becomes_a_short_line_that_can_be_stored(text: str) -> None:
    line = one_line(text, 40)

    assert len(line) <= 40
    assert line.isprintable()
    assert "\0" not in storable(text).encode().decode()


def odd_json(dice: random.Random, depth: int = 4) -> Any:
    """Anything that a JSON decoder can give."""
    kind = dice.randrange(8 if depth else 6)
    if kind == 6:
        return [odd_json(dice, depth - 1) for _ in range(dice.randrange(4))]
    if kind == 7:
        return {odd_text(dice): odd_json(dice, depth - 1) for _ in range(dice.randrange(4))}
    return dice.choice(
        [None, True, dice.choice(ENDLESS), dice.uniform(-9, 9), dice.randrange(99), odd_text(dice)]
    )


def odd_text(dice: random.Random) -> str:
    return "".join(dice.choice("ab \0\n\ud83d\u202e🔩") for _ in range(dice.randrange(6)))


def test_a_json_object_of_any_kind_can_be_stored() -> None:
    dice = random.Random(8)
    for _ in range(500):
        kept = json_object(odd_json(dice))

        written = json.dumps(kept, allow_nan=False, ensure_ascii=False)
        assert "\0" not in written.encode().decode()


def test_a_json_object_that_is_too_large_or_too_deep_is_not_kept() -> None:
    deep: Any = {}
    for _ in range(50):
        deep = {"a": deep}

    assert json_object(deep) == {}
    assert json_object({"a": [0] * 100_000}) == {}
    assert json_object([1]) == {}
    assert json_object({"a": [0] * 100, "b": {"c": "d"}}) == {"a": [0] * 100, "b": {"c": "d"}}


def test_facts_are_read_from_any_shape() -> None:
    facts = Facts({"n": 3, "t": "yes", "l": [1, "a", {"x": 1}, None], "p": {"f": False}})

    assert (facts.whole("n"), facts.text("t"), facts.numbers("l"), facts.texts("l")) == (3, "yes", [1], ["a"])
    assert [one.whole("x") for one in facts.parts("l")] == [1]
    assert facts.part("p").flag("f", default=True) is False
    for shape in (None, [], "text", 7, {"n": []}):
        odd = Facts(shape)
        assert (odd.number("n"), odd.text("n"), odd.parts("n"), odd.part("n").flag("n", default=True)) == (
            None,
            "",
            [],
            True,
        )
