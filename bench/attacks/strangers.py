"""What anyone on the network can try, without an account."""

from __future__ import annotations

import socket
from urllib.parse import quote

import httpx

from acr3d.net.guard import is_public
from bench.attacks import Attack, Outcome
from bench.attacks.target import Target, csrf_token, log_in, probed, statuses, worst
from bench.slow_clients import Crowd
from tests.support.site import EMAIL, PASSWORD, ROOT, Site

FORM_BYTES = 950_000  # as it is sent; more is refused for its length
SLOW_SECONDS, SLOW_CLIENTS = 25, 90
GUESSES, MOST_TESTED = 60, 10
SOON = 1.0


def slow_text(target: Target) -> Outcome:
    answers = []
    with target.stranger() as client, probed(target.site) as taken:
        token = csrf_token(client, "/login")
        for mark in ("\u0316\u0300", "\u200b", "\u202e", "e\u0301"):
            text = "a" + mark * (FORM_BYTES // len(quote(mark)))
            for form in ({"email": text, "password": "x"}, {"email": EMAIL, "password": text}):
                answers.append(client.post("/login", data=form | {"csrf_token": token}))
    slowest = max(answer.elapsed.total_seconds() for answer in answers)
    held = max(*taken, slowest) < SOON and max(statuses(answers)) < 500
    return held, f"{worst(taken)}, answers {statuses(answers)} within {slowest:.2f} s"


def slow_clients(target: Target) -> Outcome:
    largest = max((ROOT / "static").rglob("*.*"), key=lambda path: path.stat().st_size)
    crowd = Crowd(target.site.port, SLOW_CLIENTS, f"/{largest.relative_to(ROOT)}")
    try:
        with probed(target.site, "/") as taken:
            crowd.turn(SLOW_SECONDS)
    finally:
        crowd.close()
    heads = [len(crowd.closed_after[name]) for name in ("half a head", "one byte")]
    closed = ", ".join(f"{kind} {len(after)}" for kind, after in crowd.closed_after.items())
    held = max(taken) < SOON and min(heads) == SLOW_CLIENTS // 5
    return held, f"{worst(taken)}; of {SLOW_CLIENTS // 5} each closed within {SLOW_SECONDS} s: {closed}"


def many_spellings(target: Target) -> Outcome:
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
    email = "guessed@example.com"
    target.site.flask("users", "create", email, "--password", "a password nobody guesses")
    tested = 0
    with target.stranger() as client:
        token = csrf_token(client, "/login")
        for number in range(GUESSES):
            cut = number % len(email)
            spelling = email[:cut] + email[cut:].translate(wide)
            form = {"email": spelling, "password": f"guess {number}", "csrf_token": token}
            tested += client.post("/login", data=form).status_code != 429
    return tested <= MOST_TESTED, f"{tested} of {GUESSES} guesses were tested"


def foreign_headers(target: Target) -> Outcome:
    with target.stranger() as client:
        answers = {
            "script name": client.get("/zzz", headers={"SCRIPT_NAME": "/zzz", "SCRIPT-NAME": "/zzz"}),
            "path": client.get("/nothing", headers={"PATH_INFO": "/livez", "PATH-INFO": "/livez"}),
            "current page": client.get(
                "/admin/", headers={"HX-Request": "true", "HX-Current-URL": "http://["}
            ),
        }
        https = client.get("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    codes = {name: answer.status_code for name, answer in answers.items()}
    believed = "Strict-Transport-Security" in https.headers or "evil.example" in https.text
    held = codes == {"script name": 404, "path": 404, "current page": 401} and not believed
    return held, f"{codes}, forwarded headers {'believed' if believed else 'ignored'}"


def other_host(target: Target) -> Outcome:
    site = target.another("public", ACR3D_PUBLIC_URL="https://shop.example", ACR3D_PROXY_COUNT="1")
    codes = {}
    for host in ("shop.example", "evil.example", "shop.example.evil.example"):
        codes[host] = httpx.get(site.url, headers={"Host": host}).status_code
    return codes == {"shop.example": 200, "evil.example": 400, "shop.example.evil.example": 400}, str(codes)


def private_addresses(_target: Target) -> Outcome:
    spelled = (
        *("fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "::ffff:127.0.0.1", "192.0.0.8", "64:ff9b::7f00:1"),
        *("127.0.0.1", "169.254.169.254", "10.0.0.1", "fe80::1", "fd00::1", "2002:7f00:1::", "0.0.0.0"),
    )
    taken = [address for address in spelled if is_public(address)]
    return not taken, f"taken for public: {', '.join(taken) or 'none'} of {len(spelled)}"


def odd_requests(target: Target) -> Outcome:
    odd = (
        b"\x00\xff\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /login HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /login HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 20_000 + b"\r\n",
    )
    with probed(target.site) as taken:
        answers = sorted({_first_line(target.site, request) for request in odd})
    return max(taken) < SOON and not any(" 500 " in line for line in answers), f"{worst(taken)}, {answers}"


def _first_line(site: Site, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", site.port), timeout=15) as line:
        try:
            line.sendall(request)
            line.shutdown(socket.SHUT_WR)
            return line.recv(200).split(b"\r\n")[0].decode("latin-1") or "closed"
        except OSError:
            return "closed"


def copied_cookie(target: Target) -> Outcome:
    with target.stranger() as client:
        assert log_in(client).status_code == 302
        copied = dict(client.cookies)
        before = client.get("/admin/").status_code
        client.post("/logout", data={"csrf_token": csrf_token(client, "/account/password")})
    with httpx.Client(base_url=target.site.url, cookies=copied) as thief:
        after = thief.get("/admin/").status_code
    return (before, after) == (200, 302), f"before {before}, after {after}"


def common_password(target: Target) -> Outcome:
    with target.stranger() as client:
        log_in(client)
        form = {
            "current_password": PASSWORD,
            "new_password": "password1234",
            "repeated_password": "password1234",
            "csrf_token": csrf_token(client, "/account/password"),
        }
        code = client.post("/account/password", data=form).status_code
    return code == 400, f"answer {code}"


def one_time_password(target: Target) -> Outcome:
    said = target.site.flask("users", "create", "new@example.com", "--role", "viewer")
    password = said.split()[-1]
    part = target.part("DRAFT-1")
    with target.stranger() as client:
        logged_in = log_in(client, "new@example.com", password).status_code
        read = {
            path: client.get(path).status_code
            for path in ("/admin/", "/admin/parts", f"/api/admin/parts/{part}")
        }
    return logged_in == 302 and 200 not in read.values(), f"login {logged_in}, {sorted(read.values())}"


ATTACKS = [
    Attack("1 marks that sort slowly, at the login", slow_text),
    Attack("2 slow clients of five kinds", slow_clients),
    Attack("4 headers that only a proxy may set", foreign_headers),
    Attack("5 another site's name", other_host),
    Attack("11 addresses that are not public", private_addresses),
    Attack("odd requests on a bare connection", odd_requests),
    Attack("10 a copied cookie after its logout", copied_cookie),
    Attack("10 a password that everybody uses", common_password),
    Attack("10 a one-time password reads more than its page", one_time_password),
    # Last: it slows down the logins of this address.
    Attack("3 guessing under many spellings of an address", many_spellings),
]
