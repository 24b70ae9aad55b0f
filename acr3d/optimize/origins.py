"""Which primitives of the source each primitive of the result shows, so that the two can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.gltf.json_fields import Json

Shown = tuple[int, int]
"""A node and the number of a primitive of its mesh."""


@dataclass(frozen=True)
class Origins:
    """By what a node of the result shows: what it was in the source, one thing or several joined ones.

    `joined`: nodes of the result whose vertices were moved into the place where the source shows them, which
    can be those of one thing only.
    """

    sources: dict[Shown, list[Shown]]
    joined: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, data: Json) -> Origins:
        """Those of a model before anything was joined: everything is still itself."""
        meshes = data.get("meshes", [])
        shown = [
            (number, at)
            for number, node in enumerate(data.get("nodes", []))
            if "mesh" in node
            for at in range(len(meshes[node["mesh"]].get("primitives", [])))
        ]
        return cls({each: [each] for each in shown})

    def renumber(self, numbers: dict[int, int]) -> None:
        """Follow a change of node numbers: new ones by the old; nodes not in it are gone."""
        kept = {
            (numbers[node], at): sources for (node, at), sources in self.sources.items() if node in numbers
        }
        self.sources.clear()
        self.sources.update(kept)
        joined = {numbers[node] for node in self.joined if node in numbers}
        self.joined.clear()
        self.joined.update(joined)
