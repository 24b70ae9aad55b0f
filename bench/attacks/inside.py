"""What a local user, a hostile engine, a full disk and a child that was broken into can do."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from acr3d import sandbox
from acr3d.sandbox.protection import protection
from bench.attacks import Attack, Outcome
from bench.attacks.target import Target, log_in, probed, statuses, worst
from tests.support.confined_child import needed
from tests.support.factories import picture
from tests.support.site import ROOT, running_site
from tests.support.small_disk import small_disk

SOON = 2.0
NOT_A_LIST = (b'[{"id": NaN}]', b"[" * 100_000, b"{}", b"\xff")
TASK = {"id": "t", "type": "multi-image-to-3d", "status": "SUCCEEDED", "progress": 100, "created_at": 1}


def local_user(target: Target) -> Outcome:
    ours = (target.site.instance, *target.site.instance.rglob("*"))
    open_to_others = [path.name for path in ours if path.stat().st_mode & 0o077]
    return not open_to_others, f"{len(open_to_others)} of {len(ours)} open to others {open_to_others[:3]}"


def hostile_engine(target: Target) -> Outcome:
    odd = [("a\0b", 1e308), ("\ud83d", -5), ("x" * 100_000, 10**400), ({"a": []}, "many"), (None, [])]
    tasks = [
        TASK | {"id": f"t{number}", "texture_prompt": prompt, "consumed_credits": credits}
        for number, (prompt, credits) in enumerate(odd)
    ]
    answers = [json.dumps(tasks).encode(), json.dumps([TASK] * 50_000).encode(), *NOT_A_LIST]
    with _engine(answers) as base:
        meshy = {"MESHY_API_KEY": "msy_attack", "MESHY_API_BASE": base, "ACR3D_POLL_SECONDS": "3600"}
        site = target.another("meshy", **meshy)
        token = {"Authorization": f"Bearer {site.token()}"}
        with httpx.Client(base_url=site.url, headers=token, timeout=90) as api, probed(site) as taken:
            said = [api.post("/api/admin/orphans/refresh", json={}) for _ in answers]
        with httpx.Client(base_url=site.url, timeout=90) as person:
            log_in(person)
            said.append(person.get("/admin/unmatched-tasks"))
    held = max(taken) < SOON and max(statuses(said)) < 500 and said[-1].status_code == 200
    return held, f"{worst(taken)}, answers {statuses(said)}, then the page {said[-1].status_code}"


@contextlib.contextmanager
def _engine(answers: list[bytes]) -> Iterator[str]:
    """Gives each request the next answer, and the last one from then on, with an absurd Retry-After."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "9" * 400)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_words: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def full_disk(target: Target) -> Outcome:
    place = target.folder / "small"
    with small_disk(place) as disk, running_site(place / "instance") as site:
        token = {"Authorization": f"Bearer {site.token()}"}
        with httpx.Client(base_url=site.url, headers=token, timeout=60) as api:
            part = api.post("/api/admin/parts", json={"sku": "FULL", "name": "Full"}).json()["id"]
            disk.fill()
            with httpx.Client(base_url=site.url, timeout=60) as person:
                login = log_in(person).status_code
            read = api.get(f"/api/admin/parts/{part}").status_code
            sent = api.post(
                "/api/admin/3d-models/upload-images", data={"partId": part}, files={"image0": picture()}
            ).status_code
            disk.make_room()
    return (login, read, sent) == (302, 200, 503), f"login {login}, reading {read}, upload {sent}"


def broken_child(target: Target) -> Outcome:
    others, own = target.folder / "others", target.folder / "own"
    given = target.folder / "given.glb"
    (others / "folder").mkdir(parents=True)
    own.mkdir()
    (others / "secret").write_text("a database")
    given.write_text("a model")
    report = sandbox.run(
        "tests.support.confined_child",
        [str(others), str(given), str(own)],
        sandbox.Limits(seconds=20, memory_mb=300),
        reads=[given],
        folder=own,
        lock=None,
    )
    out = sorted(set(report["succeeded"]) - set(needed(given, own)))
    return not out, f"{protection()}; got out by: {', '.join(out) or 'nothing'}"


def child_and_database(target: Target) -> Outcome:
    """The optimizer is given the database's path as if it were its model, without the right to read it."""
    own = target.folder / "own2"
    own.mkdir()
    database = target.site.instance / "acr3d.sqlite"
    try:
        sandbox.run(
            "acr3d.optimize",
            ["--check", "--json", str(database)],
            sandbox.Limits(seconds=20, memory_mb=400),
            reads=[],
            folder=own,
            lock=None,
        )
    except sandbox.ChildRefused as refused:
        return False, f"it read the file: {refused}"
    except sandbox.ChildCrashed:
        return True, "the file could not be opened"
    return False, "it took the file"


def odd_backups(target: Target) -> Outcome:
    made = _archives(target)
    said = []
    for name, archive in made.items():
        site = _empty_site(target, name)
        said.append(f"{name}: {_restore(site, archive)}")
    return all("refused" in one for one in said), "; ".join(said)


def _archives(target: Target) -> dict[str, Path]:
    def archive(name: str, manifest: bytes, sparse: bool = False) -> Path:
        path = target.folder / f"{name}.tar"
        with tarfile.open(path, "w") as tar:
            member = tarfile.TarInfo("manifest.json")
            member.size = len(manifest)
            tar.addfile(member, io.BytesIO(manifest))
        if sparse:  # a member of 200 GB that takes no space
            with tarfile.open(path, "a") as tar:
                big = tarfile.TarInfo("blobs/big.glb")
                big.size = 200 << 30
                tar.addfile(big)
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size + (200 << 30))
        return path

    return {
        "no object": archive("no object", b"[]"),
        "no JSON": archive("no JSON", b"\xff{"),
        "deep": archive("deep", b"[" * 100_000),
        "numbers": archive("numbers", b'{"version": NaN, "files": 1e999}'),
        "sparse": archive("sparse", b"{}", sparse=True),
    }


def _empty_site(target: Target, name: str) -> dict[str, str]:
    return target.site.environ | {"ACR3D_INSTANCE": str(target.folder / f"restored {name}")}


def _restore(environ: dict[str, str], archive: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "restore", str(archive)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if "Traceback" in done.stderr:
        return "traceback"
    return "refused" if done.returncode else "restored"


ATTACKS = [
    Attack("6 another user of the host reads our files", local_user),
    Attack("8 an engine whose answers are odd", hostile_engine),
    Attack("9 a full disk", full_disk),
    Attack("13 a child that was broken into", broken_child),
    Attack("13 a child with the real database", child_and_database),
    Attack("12 backups with odd manifests", odd_backups),
]
