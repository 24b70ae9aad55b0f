"""Meshy's own MCP server works on the built-in engine: over stdio, as it would for an assistant."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_server import has_ended, served, until
from tests.support.factories import picture
from tests.support.requirements import NODE_MODULES

NO_TASK = "01999999-aaaa-7bbb-8ccc-dddddddddddd"
MCP_SERVER = NODE_MODULES / "@meshy-ai/meshy-mcp-server/dist/index.js"

pytestmark = pytest.mark.needs("node")


class McpClient:
    """Talks JSON-RPC with the server, a line a message."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from, self._last = process.stdin, process.stdout, 0
        who = {"name": "acr3d-tests", "version": "1"}
        self._ask("initialize", {"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": who})
        self._send({"method": "notifications/initialized"})

    def call(self, tool: str, **arguments: object) -> str:
        """The text that the tool answers."""
        result = self._ask("tools/call", {"name": tool, "arguments": arguments})
        return "\n".join(part["text"] for part in result["content"] if part["type"] == "text")

    def _ask(self, method: str, params: dict[str, object]) -> Any:
        self._last += 1
        self._send({"id": self._last, "method": method, "params": params})
        while line := self._from.readline():
            message = json.loads(line)
            if message.get("id") == self._last:
                assert "error" not in message, message
                return message["result"]
        raise AssertionError("The MCP server has ended.")

    def _send(self, message: dict[str, object]) -> None:
        self._to.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
        self._to.flush()


@contextlib.contextmanager
def mcp_client(base: str, folder: Path) -> Iterator[McpClient]:
    environ = os.environ | {"MESHY_API_KEY": "msy_any", "MESHY_API_HOST": base}
    with (
        (folder / "mcp.log").open("w") as log,
        subprocess.Popen(
            ["node", str(MCP_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environ,
            cwd=folder,
            text=True,
        ) as process,
    ):
        try:
            yield McpClient(process)
        finally:
            process.kill()


def test_an_assistant_makes_and_fetches_a_model(tmp_path: Path) -> None:
    photos = [tmp_path / f"{number}.jpg" for number in range(4)]
    for photo in photos:
        photo.write_bytes(picture())
    saved = tmp_path / "model.glb"

    with (
        served(tmp_path / "engine", tmp_path / "log") as (_process, client),
        mcp_client(str(client.base), tmp_path) as assistant,
    ):
        made = assistant.call(
            "meshy_multi_image_to_3d", file_paths=[str(photo) for photo in photos], response_format="json"
        )
        task_id = json.loads(made)["task_id"]
        until(client, task_id, has_ended)
        assert "SUCCEEDED" in assistant.call(
            "meshy_get_task_status", task_id=task_id, task_type="multi-image-to-3d", wait=False
        )
        listed = assistant.call("meshy_list_tasks", response_format="json")
        assistant.call(
            "meshy_download_model", task_id=task_id, task_type="multi-image-to-3d", save_to=str(saved)
        )
        unknown = assistant.call(
            "meshy_get_task_status",
            task_id=NO_TASK,
            task_type="remesh",
            wait=False,
        )

    assert [task["id"] for task in json.loads(listed)["tasks"]] == [task_id]
    assert saved.read_bytes()[:4] == b"glTF"
    assert "not found" in unknown
