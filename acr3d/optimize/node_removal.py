"""Removing nodes and meshes that show nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acr3d.gltf.json_fields import Json
from acr3d.gltf.traversal import Reference

# What makes a node more than a place for the nodes below it.
_CONTENT = {"mesh", "camera", "skin", "extensions"}


def remove_nodes(data: Json, emptied: Iterable[int]) -> dict[int, int]:
    """Remove emptied nodes, and those above them that are left with nothing.

    Nodes that anything but their parent refers to stay. Returns the new numbers by the old ones.
    """
    nodes = data["nodes"]
    parents = {child: number for number, node in enumerate(nodes) for child in node.get("children", [])}
    children = [len(node.get("children", [])) for node in nodes]
    referred = {holder[name] for holder, name in _references(data)}
    referred |= {joint for skin in data.get("skins", []) for joint in skin.get("joints", [])}
    gone, waiting = set[int](), list(emptied)
    while waiting:
        number = waiting.pop()
        if children[number] or number in referred or _CONTENT & nodes[number].keys():
            continue
        gone.add(number)
        if number in parents:
            children[parents[number]] -= 1
            waiting.append(parents[number])
    kept = [number for number in range(len(nodes)) if number not in gone]
    numbers = {old: new for new, old in enumerate(kept)}
    for holder, name in _references(data):
        holder[name] = numbers[holder[name]]
    for holder, name in _lists(data):
        holder[name] = [numbers[number] for number in holder[name] if number in numbers]
        if not holder[name]:
            del holder[name]
    data["nodes"] = [nodes[number] for number in kept]
    return numbers


def remove_meshes(data: Json, candidates: set[int]) -> None:
    """Remove those of the candidates that no node shows."""
    users = [node for node in data["nodes"] if "mesh" in node]
    gone = candidates - {node["mesh"] for node in users}
    kept = [number for number in range(len(data["meshes"])) if number not in gone]
    numbers = {old: new for new, old in enumerate(kept)}
    for node in users:
        node["mesh"] = numbers[node["mesh"]]
    data["meshes"] = [data["meshes"][number] for number in kept]


def _references(data: Json) -> Iterator[Reference]:
    """Every field, besides lists, that names a node."""
    yield from ((skin, "skeleton") for skin in data.get("skins", []) if "skeleton" in skin)
    for animation in data.get("animations", []):
        targets = (channel.get("target", {}) for channel in animation.get("channels", []))
        yield from ((target, "node") for target in targets if "node" in target)


def _lists(data: Json) -> Iterator[Reference]:
    """Every list of node numbers."""
    holders = [(scene, "nodes") for scene in data.get("scenes", [])]
    holders += [(node, "children") for node in data["nodes"]]
    holders += [(skin, "joints") for skin in data.get("skins", [])]
    yield from ((holder, name) for holder, name in holders if name in holder)
