"""Every address of the app, for tests that hold something against all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
SOMETHING = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    rule: str
    path: str

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    @property
    def is_for_staff(self) -> bool:
        return self.rule.startswith(("/admin", "/api/admin/"))

    @property
    def names_something(self) -> bool:
        """Whether the address holds the name of a thing."""
        return "<" in self.rule

    @property
    def changes(self) -> bool:
        return self.method in UNSAFE


def routes(app: Flask, **values: str) -> Iterator[Route]:
    """All of them; `values` fill the places in the addresses (part_id, sku, …), the others name nothing."""
    values = {"lang": "de", "number": "1", "kind": "pdf"} | values
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or set()):
            if method not in ("HEAD", "OPTIONS"):
                yield Route(method, rule.rule, _path(app, rule, values))


def _path(app: Flask, rule: Rule, values: dict[str, str]) -> str:
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, {name: values.get(name, SOMETHING) for name in rule.arguments})
