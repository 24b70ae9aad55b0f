"""A stand-in for the carving's child process: it obeys a file in the engine's folder and writes a tiny GLB.

`stand_in_engine` starts it. The file `behaviour` holds one word: carve (the default), refuse, crash, or wait
(until the file changes). If the folder has a `model.glb`, that is the result instead of the tiny GLB. Every
start is recorded in `starts`, so that tests can count them.
"""

import json
import struct
import sys
import time
from pathlib import Path

GLB_JSON = b'{"asset":{"version":"2.0"}} '


def tiny_glb() -> bytes:
    chunk = struct.pack("<I4s", len(GLB_JSON), b"JSON") + GLB_JSON
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunk)) + chunk


def main(request_path: Path, model_path: Path) -> None:
    request = json.loads(request_path.read_text())
    engine = request_path.parents[2]
    with (engine / "starts").open("a") as starts:
        starts.write(f"{request_path.parent.name} {json.dumps(request)}\n")
    print(json.dumps({"progress": 40}), flush=True)
    while (word := behaviour(engine)) == "wait":
        time.sleep(0.02)
    if word == "refuse":
        print(json.dumps({"error": "The front photo shows no outline.", "code": "no_outline"}))
        sys.exit(3)
    if word == "crash":
        raise RuntimeError("lost the thread")
    wished = engine / "model.glb"
    model_path.write_bytes(wished.read_bytes() if wished.exists() else tiny_glb())
    print(json.dumps({"report": {"triangles": 12}}), flush=True)


def behaviour(engine: Path) -> str:
    try:
        return (engine / "behaviour").read_text()
    except FileNotFoundError:
        return "carve"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
