"""What hostile and unusual photos do to the uploads."""

from __future__ import annotations

from bench.attacks import Attack, Outcome
from bench.attacks.target import Target, probed, worst
from tests.support.pictures import in_scans, png, quarters, saved

UPLOAD = "/api/admin/3d-models/upload-images"
SOON = 2.0


def _upload(target: Target, sku: str, data: bytes) -> tuple[int, str]:
    """The answer's status, and its sentence if it was refused."""
    part = target.part(sku)
    with target.program() as api:
        answer = api.post(UPLOAD, data={"partId": part}, files={"image0": ("photo", data)})
    return answer.status_code, str(answer.json().get("error", ""))


def many_scans(target: Target) -> Outcome:
    with probed(target.site) as taken:
        code, said = _upload(target, "SCANS", in_scans(5000).getvalue())
        after, _ = _upload(target, "AFTER-SCANS", saved(quarters(), "JPEG").getvalue())
    held = max(taken) < SOON and (code, after) == (400, 200)
    return held, f"{code} “{said[:50]}…”, the next upload {after}, {worst(taken)}"


def bombs(target: Target) -> Outcome:
    made = {
        "PNG of 2 gigapixels": png((60_000, 40_000), 8, 2, b"\0" * 100).getvalue(),
        "half a HEIC": b"\0\0\0\x18ftypheic" + b"\0" * 5000,
        "GIF header": b"GIF89a\xff\xff\xff\xff" + b"\0" * 100,
        "TIFF that points at itself": b"II*\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x08\0\0\0\x08\0\0\0",
        "BMP header": b"BM" + b"\xff" * 60,
    }
    with probed(target.site) as taken:
        codes = {name: _upload(target, name, data)[0] for name, data in made.items()}
    taken_in = [name for name, code in codes.items() if code != 400]
    return max(taken) < SOON and not taken_in, f"not refused: {taken_in or 'none'}, {worst(taken)}"


def small_faults(target: Target) -> Outcome:
    plain = saved(quarters(), "JPEG").getvalue()
    about = b'<x xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + about
    turned = plain[:2] + b"\xff\xe1" + (len(xmp) + 2).to_bytes(2, "big") + xmp + plain[2:]
    ended = _upload(target, "NO-END", plain[:-2])[0]
    part = target.part("XMP")
    with target.program() as api:
        [image] = api.post(UPLOAD, data={"partId": part}, files={"image0": turned}).json()["images"]
    held = ended == 200 and (image["width_px"], image["height_px"]) == (640, 480)
    return held, f"without its end {ended}, turned by XMP {image['width_px']} × {image['height_px']}"


def formats(target: Target) -> Outcome:
    kinds = ("TIFF", "BMP", "GIF", "AVIF", "WEBP", "PNG")
    codes = {kind: _upload(target, kind, saved(quarters(), kind).getvalue())[0] for kind in kinds}
    named = {
        "Canon": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0" * 200,
        "PDF": b"%PDF-1.7\n" + b"0" * 200,
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    }
    unnamed = [name for name, data in named.items() if name not in _upload(target, name, data)[1]]
    return set(codes.values()) == {200} and not unnamed, f"{codes}, not named: {unnamed or 'none'}"


ATTACKS = [
    Attack("7 a JPEG of five thousand scans", many_scans),
    Attack("7 pictures that are bombs", bombs),
    Attack("14 a JPEG without its end, and one turned by XMP", small_faults),
    Attack("15 formats that are taken, and those that are named", formats),
]
