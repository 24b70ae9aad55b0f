"""The options of an order: their bounds, defaults and price."""

from __future__ import annotations

import pytest

from acr3d.engines.base import Provider
from acr3d.engines.meshy.options import CreateOptions, price_estimate
from acr3d.engines.options import InvalidOption
from acr3d.engines.registry import Engines
from acr3d.settings import from_environment
from tests.engines.samples import FRONT


@pytest.fixture(params=["meshy", "builtin"])
def provider(request: pytest.FixtureRequest, tmp_path) -> Provider:
    config = from_environment({"ACR3D_INSTANCE": str(tmp_path), "MESHY_API_KEY": "msy_test"})
    found = Engines(config).provider(request.param)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target_polycount": 99}, "between 100 and 300000"),
        ({"target_polycount": 300_001}, "between 100 and 300000"),
        ({"target_polycount": True}, "whole number"),
        ({"target_polycount": "100"}, "whole number"),
        ({"enable_pbr": 1}, "true or false"),
        ({"image_enhancement": None}, "true or false"),
        ({"texture_prompt": "x" * 601}, "at most 600"),
        ({"texture_prompt": "two\nlines"}, "one line"),
        ({"texture_prompt": "half a character: \ud83d"}, "one line"),
        ({"texture_prompt": 7}, "one line"),
    ],
)
def test_options_that_would_be_refused_are_refused_here(
    provider: Provider, wrong: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidOption, match=says):
        provider.check_options(wrong)
    with pytest.raises(InvalidOption, match=says):
        provider.prepare([FRONT], wrong)


def test_an_order_holds_every_option_and_no_key_that_is_not_the_engines(provider: Provider) -> None:
    order = provider.prepare([FRONT], {"level": "light", "enable_pbr": False})

    assert order.options == {
        "target_polycount": {"meshy": 100_000, "builtin": 30_000}[provider.name],
        "enable_pbr": False,
        "texture_prompt": "",
        "image_enhancement": False,
    }


@pytest.mark.parametrize("extra", [None, 1])
def test_no_or_too_many_photos_are_no_order(provider: Provider, extra: int | None) -> None:
    count = 0 if extra is None else provider.max_photos + extra

    with pytest.raises(InvalidOption, match=f"from 1 to {provider.max_photos} photos"):
        provider.prepare([FRONT] * count, {})


def test_an_unnamed_model_is_refused() -> None:
    with pytest.raises(ValueError, match="Name an AI model"):
        CreateOptions(ai_model="")


@pytest.mark.parametrize(
    ("model", "config", "credits"),
    [
        ("meshy-7.1", {}, 30),
        ("latest", {"should_texture": False}, 20),
        ("meshy-7.1", {"texture_resolution": "8k"}, 35),
        ("meshy-7.1", {"texture_resolution": "8k", "geometry_resolution": "2k"}, 40),
        ("meshy-6", {"texture_resolution": "4k"}, 30),
        ("meshy-6-lite", {}, 15),
        ("meshy-6-lite", {"should_texture": False}, 5),
        ("meshy-9", CreateOptions().body(), 30),
    ],
)
def test_the_price_is_estimated_after_the_price_table(
    model: str, config: dict[str, object], credits: int
) -> None:
    assert price_estimate(model, config) == credits
