"""Which names the site answers to, once it knows its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from acr3d.settings import from_environment


@pytest.fixture
def shop(make_app: Callable[..., Flask]) -> FlaskClient:
    app = make_app(public_url="https://shop.example:8443", trusted_hosts=(".intra.example",))
    return app.test_client()


def status(client: FlaskClient, host: str, path: str = "/") -> int:
    return client.get(path, headers={"Host": host}).status_code


@pytest.mark.parametrize("host", ["shop.example:8443", "shop.example", "SHOP.example", "a.intra.example"])
def test_our_own_names_are_answered(shop: FlaskClient, host: str) -> None:
    assert status(shop, host) == 200


@pytest.mark.parametrize("host", ["evil.example", "shop.example.evil.example", "127.0.0.1:5000", "localhost"])
def test_another_name_is_refused(shop: FlaskClient, host: str) -> None:
    answer = shop.get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "ACR3D_TRUSTED_HOSTS" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000", "[::1]"])
def test_health_is_told_to_this_machine_by_any_of_its_names(shop: FlaskClient, host: str) -> None:
    assert status(shop, host, "/livez") == 200
    assert status(shop, "evil.example", "/livez") == 400


def test_without_a_public_url_any_name_will_do(client: FlaskClient) -> None:
    assert status(client, "anything.example") == 200


def test_a_loopback_name_can_be_the_public_one(make_app: Callable[..., Flask]) -> None:
    client = make_app(public_url="http://localhost:5000").test_client()

    assert (status(client, "localhost:5000"), status(client, "127.0.0.1:5000")) == (200, 400)


def test_the_names_come_from_the_environment(tmp_path: object) -> None:
    read = from_environment({"ACR3D_INSTANCE": str(tmp_path), "ACR3D_TRUSTED_HOSTS": "a.example, b.example"})

    assert read.trusted_hosts == ("a.example", "b.example")
