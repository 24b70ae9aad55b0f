"""`python -m acr3d.optimize` as a person at a terminal and as the web process sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from acr3d import sandbox
from tests.support.optimize_glbs import command, encoded, pack, textured_sphere, unpack

LIMITS = sandbox.Limits(seconds=60, memory_mb=400)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.glb"
    path.write_bytes(textured_sphere().glb())
    return path


def test_a_person_reads_what_was_saved(raw: Path, tmp_path: Path) -> None:
    done = command(raw, tmp_path / "small.glb")

    assert done.returncode == 0, done.stderr
    assert f"{raw.stat().st_size:,} bytes in" in done.stdout
    assert "2,162 triangles" in done.stdout
    assert "base colour: png 256 × 256" in done.stdout
    assert (tmp_path / "small.glb").stat().st_size < raw.stat().st_size / 3


def test_a_program_reads_progress_and_then_the_report(raw: Path, tmp_path: Path) -> None:
    done = command(raw, tmp_path / "small.glb", "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    percents = [line["progress"] for line in lines[:-1]]
    assert percents == sorted(percents)
    assert len(percents) > 2
    report = lines[-1]["report"]
    assert report["bytes_out"] == (tmp_path / "small.glb").stat().st_size
    assert report["bytes_in"] == raw.stat().st_size
    assert report["triangles"] == report["triangles_in"] == 2162
    assert report["draw_calls"] == 1
    assert report["size_m"] == pytest.approx([0.1, 0.1, 0.1], rel=0.01)
    assert {m["after"]["format"] for m in report["maps"]} == {"webp"}
    assert report["warnings"] == []


def test_the_steps_of_the_report_add_up_to_the_file(raw: Path, tmp_path: Path) -> None:
    report = json.loads(command(raw, tmp_path / "small.glb", "--json").stdout.splitlines()[-1])["report"]

    saved = {step["step"]: step["saved"] for step in report["steps"]}
    assert sum(saved.values()) == report["bytes_in"] - report["bytes_out"]
    assert all(step["bytes_before"] - step["bytes_after"] == step["saved"] for step in report["steps"])
    assert saved.keys() == {"clean", "geometry", "textures", "rest"}
    assert min(saved["geometry"], saved["textures"]) > 0


def test_a_refused_file_leaves_with_code_3_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "page.glb").write_text("<html>not a model</html>")

    told = command(tmp_path / "page.glb", tmp_path / "out.glb")
    asked = command(tmp_path / "page.glb", tmp_path / "out.glb", "--json")

    assert told.returncode == asked.returncode == 3
    assert "not a GLB file" in told.stderr
    assert json.loads(asked.stdout)["code"] == "not_glb"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.glb"]


def test_check_reports_and_changes_nothing(raw: Path, tmp_path: Path) -> None:
    before = raw.read_bytes()

    done = command("--check", raw, "--json")

    report = json.loads(done.stdout.splitlines()[-1])["report"]
    assert report["triangles"] == 2162
    assert [m["before"]["format"] for m in report["maps"]] == ["png"] * 3
    assert "bytes_out" not in report
    assert raw.read_bytes() == before
    assert list(tmp_path.iterdir()) == [raw]


def test_check_finds_a_picture_that_is_cut_off(tmp_path: Path) -> None:
    builder = textured_sphere()
    image = builder.data["images"][1]["bufferView"]
    builder.data["bufferViews"][image]["byteLength"] //= 2
    (tmp_path / "raw.glb").write_bytes(builder.glb())

    done = command("--check", tmp_path / "raw.glb", "--json")

    assert done.returncode == 3
    assert "images[1] ('orm') cannot be decoded" in json.loads(done.stdout)["error"]


def test_it_runs_as_a_child_in_400_mb(raw: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    report = sandbox.run(
        "acr3d.optimize",
        [str(raw), str(tmp_path / "small.glb"), "--json"],
        LIMITS,
        reads=[raw],
        folder=tmp_path,
        lock=tmp_path / "lock",
        on_progress=seen.append,
    )

    assert report["bytes_out"] == (tmp_path / "small.glb").stat().st_size
    assert seen


def test_a_file_that_needs_more_memory_than_there_is_is_too_large(tmp_path: Path) -> None:
    """A map of 8192² with alpha takes 256 MB decoded."""
    builder = textured_sphere()
    glass = encoded(Image.new("RGBA", (8192, 8192), (90, 90, 90, 9)), "PNG", compress_level=1)
    builder.data["images"][0]["bufferView"] = builder.view(glass)
    (tmp_path / "raw.glb").write_bytes(builder.glb())
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (200 << 20,) * 2); "
        "from acr3d.optimize.__main__ import main; "
        f"sys.exit(main([{str(tmp_path / 'raw.glb')!r}, {str(tmp_path / 'small.glb')!r}, '--json']))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    answer = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, answer["code"]) == (3, "too_large")
    assert "needs too much memory" in answer["error"]
    assert not (tmp_path / "small.glb").exists()


def test_a_child_of_the_work_may_use_what_the_job_allows(raw: Path, tmp_path: Path) -> None:
    """Blender's child takes over a gigabyte: our own limit is one that it can lift."""
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_DATA, (1400 << 20,) * 2); "
        "from acr3d.optimize.__main__ import main; "
        f"main(['--check', {str(raw)!r}]); print(resource.getrlimit(resource.RLIMIT_DATA))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert done.stdout.splitlines()[-1] == str((400 << 20, 1400 << 20))


def test_the_web_process_hears_why_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.glb").write_bytes(pack({"asset": {"version": "2.0"}}))

    with pytest.raises(sandbox.ChildRefused, match="contains no shapes") as refused:
        sandbox.run(
            "acr3d.optimize",
            ["--check", str(tmp_path / "empty.glb"), "--json"],
            LIMITS,
            reads=[tmp_path / "empty.glb"],
            folder=None,
            lock=tmp_path / "lock",
        )

    assert refused.value.code == "empty"


def test_the_child_loads_nothing_of_the_web_process(raw: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from acr3d.optimize.__main__ import main; "
        f"main([{str(raw)!r}, {str(tmp_path / 'out.glb')!r}]); "
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    loaded = done.stdout.splitlines()[-1]
    assert "'numpy'" in loaded
    for name in ("flask", "sqlalchemy", "werkzeug", "httpx", "scipy"):
        assert f"'{name}'" not in loaded


def test_the_package_itself_imports_nothing() -> None:
    program = "import sys; before = set(sys.modules); import acr3d.optimize; print(set(sys.modules) - before)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    assert set(eval(done.stdout)) <= {"acr3d", "acr3d.optimize", "__future__"}


def test_no_other_file_is_opened_and_no_connection_made(raw: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.glb"
    program = (
        "import sys\n"
        "from acr3d.optimize import pipeline\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append((event, str(args[0])))"
        " if event == 'open' or event.startswith('socket.') else None)\n"
        f"from pathlib import Path\npipeline.optimize(Path({str(raw)!r}), Path({str(target)!r}))\n"
        "print(sorted({args for event, args in seen if not args.endswith('.py') and '.pyc' not in args}))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)

    # The result is looked at before it is put in its place.
    assert eval(done.stdout.splitlines()[-1]) == [str(target) + ".part", str(raw)]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_result_does_not_depend_on_the_number_of_threads(
    raw: Path, tmp_path: Path, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACR3D_THREADS", threads)

    command(raw, tmp_path / "one.glb")
    command(tmp_path / "one.glb", tmp_path / "again.glb")

    data, _ = unpack(tmp_path / "one.glb")
    assert [image["name"] for image in data["images"]] == ["base", "orm", "normal"]
    # A second time there is nothing left to gain, and the file is given out as it came in.
    assert (tmp_path / "one.glb").read_bytes() == (tmp_path / "again.glb").read_bytes()


@pytest.mark.parametrize("json_wanted", [False, True])
def test_work_that_never_ends_is_ended_with_a_sentence(json_wanted: bool, raw: Path) -> None:
    """A decoder that does not come back, as a forged stream can make it: here, a hash without end."""
    script = (
        "import hashlib, sys; from acr3d.optimize import __main__ as command, pipeline\n"
        "def busy(path):\n    while True: hashlib.sha256(bytes(50_000_000))\n"
        "command._CPU_SECONDS, pipeline.check = 1.5, busy\n"
        "sys.exit(command.main(sys.argv[1:]))"
    )
    line = [sys.executable, "-c", script, "--check", str(raw), *(["--json"] if json_wanted else [])]

    done = subprocess.run(line, capture_output=True, text=True, timeout=60)

    assert done.returncode == 3
    told = json.loads(done.stdout) if json_wanted else {"error": done.stderr, "code": "too_large"}
    assert "takes too long" in told["error"]
    assert told["code"] == "too_large"
