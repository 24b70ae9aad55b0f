"""Every setting, typed, read once from the environment. An invalid value stops the start with one line."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app

AUTO = "auto"  # every engine that is set up, chosen per job
ENGINE_CHOICES = (AUTO, "builtin", "meshy")
POLLERS = ("web", "worker")
WORKERS = ("inline", "procrastinate")
LOGS = ("text", "json")
MESHY_BASE = "https://api.meshy.ai"
MESHY_ASSETS = "https://assets.meshy.ai"
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_*'()-][A-Za-z0-9!_.*'()-]*)*")


SHOP_EMAIL = re.compile(r"[^@\s,?&]+@[^@\s,?&]+\.[^@\s,?&]+")
SHOP_PHONE = re.compile(r"\+?[0-9 ()/.-]{3,32}")
SHOP_WHATSAPP = re.compile(r"[1-9][0-9]{6,14}")
_LEAST_SECRET = 16
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}


class SettingsError(Exception):
    """An invalid setting. `str()` is one line that names it."""


@dataclass(frozen=True)
class Shop:
    """What customers see of the shop: its name, logo and ways to ask; empty for what is not shown."""

    name: str = ""
    logo: Path | None = None  # a file of one of LOGO_TYPES
    email: str = ""
    phone: str = ""
    whatsapp: str = ""  # the number with its country code, digits only
    # What admins choose on the settings page only (`acr3d.shop`):
    accent: str = ""  # the colour of links and buttons, #rrggbb
    logo_sha256: str = ""  # of a logo that was uploaded, shown instead of the file
    currency: str = ""  # of new parts
    units: str = "mm"  # of sizes and weights for customers: mm or in
    languages: str = ""  # of the public pages, between blanks; empty: all
    photo_background: str = "taken"  # what customers see of photos: as taken, or on white


@dataclass(frozen=True)
class Settings:
    """What the environment says. Secrets stay out of `repr`."""

    instance: Path
    instance_id: str  # names this instance's built-in engine, whose tasks no other host can see
    database_url: str = field(repr=False)
    storage_folder: Path  # of the stored files, or of the local copies of those in the bucket
    secret_key: str = field(repr=False)
    bucket: str = ""  # s3://bucket/prefix
    storage_copies_mb: int = 2000
    cdn_url: str = ""  # shows what is in the bucket
    signed_files: bool = False
    engine: str = AUTO
    meshy_api_key: str = field(default="", repr=False)
    meshy_api_base: str = MESHY_BASE
    meshy_model: str = "meshy-7.1"
    asset_origins: tuple[str, ...] = ()
    poll_seconds: int = 30
    poller: str = "web"
    workers: str = "inline"
    max_concurrent_tasks: int = 5
    room_mb: int = 200  # disk space kept free for each job's raw model
    monthly_budget: int = 0  # credits; 0 means no limit
    user_monthly_limit: int = 0
    low_balance: int = 100
    review_before_publish: bool = False
    admins_need_code: bool = False
    least_agreement: int = 0
    ask_agreement: int = 85
    engine_grid: int | None = None
    engine_guesses: bool = True
    agreement: bool = True
    cutout: bool = True
    cutout_model: Path | None = None  # a person's own network
    unknown_wait_seconds: int = 240
    webhook_path: str = field(default="", repr=False)  # the secret end of the address that Meshy calls
    webhook_secret: str = field(default="", repr=False)
    smtp: str = field(default="", repr=False)  # smtp:// or smtps://, with user and password if it needs them
    mail_from: str = ""
    notice_webhook: str = field(default="", repr=False)
    notice_webhook_secret: str = field(default="", repr=False)
    public_url: str = ""
    hsts_subdomains: bool = False
    search_rate: int = 1200
    trusted_hosts: tuple[str, ...] = ()
    proxy_count: int = 0
    admin_email: str = ""
    admin_password: str = field(default="", repr=False)
    log: str = "text"
    metrics: bool = False
    metrics_token: str = field(default="", repr=False)
    port: int = 5000
    shop: Shop = Shop()

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; creates the instance folder and its secret if they are missing.

    Raises SettingsError with one line that names the variable.
    """
    read = _Reader(os.environ if environ is None else environ)
    instance = Path(read.text("ACR3D_INSTANCE") or Path(__file__).parent.parent / "instance").absolute()
    instance.mkdir(parents=True, exist_ok=True)
    bucket, storage_folder = storage_place(read.text("ACR3D_STORAGE_URL"), instance, "ACR3D_STORAGE_URL")
    cdn_url, signed_files = _files_elsewhere(read, bucket)
    database_url = _database_url(read.secret("DATABASE_URL"), instance)
    engine = read.choice("ACR3D_ENGINE", ENGINE_CHOICES)
    key = read.secret("MESHY_API_KEY")
    if engine == "meshy" and not key:
        raise SettingsError("ACR3D_ENGINE is 'meshy', but MESHY_API_KEY is not set.")
    if not key.isascii():
        raise SettingsError("MESHY_API_KEY contains a character that no key has. Copy it again.")
    if any(character.isspace() for character in key):
        raise SettingsError("MESHY_API_KEY contains whitespace. It was probably wrapped when it was pasted.")
    return Settings(
        instance=instance,
        instance_id=_kept_secret(instance / "instance_id")[:12],
        database_url=database_url,
        bucket=bucket,
        storage_folder=storage_folder,
        storage_copies_mb=read.number("ACR3D_STORAGE_COPIES_MB", 2000, 100, 1_000_000),
        cdn_url=cdn_url,
        signed_files=signed_files,
        secret_key=read.secret("SECRET_KEY") or _kept_secret(instance / "secret_key"),
        engine=engine,
        meshy_api_key=key,
        meshy_api_base=read.origin("MESHY_API_BASE") or MESHY_BASE,
        meshy_model=read.text("ACR3D_MESHY_MODEL") or "meshy-7.1",
        asset_origins=tuple(_origin("ACR3D_ASSET_ORIGINS", one) for one in read.words("ACR3D_ASSET_ORIGINS")),
        poll_seconds=read.number("ACR3D_POLL_SECONDS", 30, 1, 3600),
        **_workers(read, database_url),
        max_concurrent_tasks=read.number("ACR3D_MAX_CONCURRENT_TASKS", 5, 1, 100),
        room_mb=read.number("ACR3D_ROOM_MB", 200, 0, 100_000),
        monthly_budget=read.number("ACR3D_MONTHLY_BUDGET", 0, 0, 10_000_000),
        user_monthly_limit=read.number("ACR3D_USER_MONTHLY_LIMIT", 0, 0, 10_000_000),
        low_balance=read.number("ACR3D_LOW_BALANCE", 100, 0, 10_000_000),
        review_before_publish=read.switch("ACR3D_REVIEW"),
        admins_need_code=read.switch("ACR3D_ADMINS_NEED_CODE"),
        least_agreement=read.number("ACR3D_LEAST_AGREEMENT", 0, 0, 100),
        ask_agreement=read.number("ACR3D_ASK_AGREEMENT", 85, 0, 100),
        engine_grid=read.number("ACR3D_ENGINE_GRID", 0, 0, 512) or None,
        engine_guesses=read.switch("ACR3D_ENGINE_GUESSES", default=True),
        agreement=read.switch("ACR3D_AGREEMENT", default=True),
        cutout=read.switch("ACR3D_CUTOUT", default=True),
        cutout_model=_cutout_model(read.text("ACR3D_CUTOUT_MODEL")),
        unknown_wait_seconds=read.number("ACR3D_UNKNOWN_WAIT_SECONDS", 240, 1, 3600),
        webhook_path=_webhook_path(read.secret("ACR3D_WEBHOOK_PATH"), instance),
        webhook_secret=read.secret("ACR3D_WEBHOOK_SECRET"),
        **_notices(read),
        public_url=read.origin("ACR3D_PUBLIC_URL"),
        hsts_subdomains=read.switch("ACR3D_HSTS_SUBDOMAINS"),
        search_rate=read.number("ACR3D_SEARCH_RATE", 1200, 0, 1_000_000),
        trusted_hosts=read.words("ACR3D_TRUSTED_HOSTS"),
        proxy_count=read.number("ACR3D_PROXY_COUNT", 0, 0, 5),
        admin_email=read.text("ACR3D_ADMIN_EMAIL"),
        admin_password=read.secret("ACR3D_ADMIN_PASSWORD"),
        log=read.choice("ACR3D_LOG", LOGS),
        metrics=read.switch("ACR3D_METRICS"),
        metrics_token=_metrics_token(read.secret("ACR3D_METRICS_TOKEN")),
        port=read.number("PORT", 5000, 1, 65535),
        shop=_shop(read),
    )


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str) -> str:
        return self.environ.get(name, "").strip()

    def secret(self, name: str) -> str:
        """The variable, or the contents of the file that `NAME_FILE` points to."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error.strerror}.") from error

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name).replace(",", " ").split())

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name) or allowed[0]
        if value not in allowed:
            raise SettingsError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise SettingsError(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
        return int(value)

    def switch(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        if not value:
            return default
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        raise SettingsError(f"{name} is {value!r}; it must be 1 or 0.")

    def origin(self, name: str) -> str:
        value = self.text(name)
        return _origin(name, value) if value else ""


def _origin(name: str, value: str) -> str:
    """`value` as scheme://host[:port], without a path."""
    try:
        parts = urlsplit(value)
        sound = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        sound = False
    if not sound or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError(f"{name}: {value!r} must look like https://host or http://host:port.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _database_url(value: str, instance: Path) -> str:
    if not value:
        return f"sqlite:///{instance / 'acr3d.sqlite'}"
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in ("sqlite", "postgres", "postgresql", "postgresql+psycopg"):
        raise SettingsError("DATABASE_URL must start with sqlite:/// or postgresql://.")
    return value if scheme == "sqlite" else f"postgresql+psycopg://{rest}"


def _workers(read: _Reader, database_url: str) -> dict[str, str]:
    """Where the poller runs, and who does heavy work."""
    poller, workers = read.choice("ACR3D_POLLER", POLLERS), read.choice("ACR3D_WORKERS", WORKERS)
    if workers == "inline":
        return {"poller": poller, "workers": workers}
    if database_url.startswith("sqlite"):
        raise SettingsError(
            "ACR3D_WORKERS=procrastinate needs PostgreSQL: set DATABASE_URL to a postgresql:// address."
        )
    if read.text("ACR3D_POLLER") == "web":
        raise SettingsError("ACR3D_POLLER=web does not go with ACR3D_WORKERS=procrastinate. Leave it out.")
    return {"poller": "worker", "workers": workers}


def storage_place(address: str, instance: Path, name: str) -> tuple[str, Path]:
    """The bucket of a storage's address, if it is in one, and its folder on this host.

    `name`: what a SettingsError calls the address.
    """
    if not address:
        return "", instance / "storage"
    if address.startswith("s3://"):
        bucket = address.rstrip("/")
        if not _BUCKET.fullmatch(bucket):
            raise SettingsError(f"{name} must be s3://bucket or s3://bucket/prefix; {address!r} is not.")
        copies_of = hashlib.sha256(bucket.encode()).hexdigest()[:12]
        return bucket, instance / "storage-copies" / copies_of
    if "://" in address and not address.startswith("file:///"):
        raise SettingsError(
            f"{name} must be a folder (file:///absolute/path) or a bucket (s3://bucket/prefix)."
        )
    folder = Path(address.removeprefix("file://"))
    if not folder.is_absolute():
        raise SettingsError(f"{name} must be an absolute path.")
    return "", folder


def _files_elsewhere(read: _Reader, bucket: str) -> tuple[str, bool]:
    """The address of a CDN in front of the bucket, and whether browsers go to the bucket itself."""
    cdn_url, signed = read.text("ACR3D_CDN_URL").rstrip("/"), read.switch("ACR3D_SIGNED_FILES")
    if (cdn_url or signed) and not bucket:
        raise SettingsError("ACR3D_CDN_URL and ACR3D_SIGNED_FILES need a bucket: ACR3D_STORAGE_URL=s3://…")
    if cdn_url and signed:
        raise SettingsError("ACR3D_CDN_URL and ACR3D_SIGNED_FILES are two ways to do the same. Set one.")
    if not cdn_url:
        return "", signed
    scheme, _slashes, rest = cdn_url.partition("://")
    host, slash, path = rest.partition("/")
    if not re.fullmatch(r"[A-Za-z0-9._~/-]*", path):
        raise SettingsError("ACR3D_CDN_URL must be an address without a query, like https://cdn.example.com.")
    return f"{_origin('ACR3D_CDN_URL', f'{scheme}://{host}')}{slash}{path}", False


def _cutout_model(value: str) -> Path | None:
    if not value:
        return None
    path = Path(value)
    if not path.is_absolute() or not path.is_file():
        raise SettingsError(
            f"ACR3D_CUTOUT_MODEL must be the absolute path of an ONNX file; {value!r} is not."
        )
    return path


def _shop(read: _Reader) -> Shop:
    email, phone = read.text("ACR3D_SHOP_EMAIL"), read.text("ACR3D_SHOP_PHONE")
    whatsapp = plain_number(read.text("ACR3D_SHOP_WHATSAPP"))
    if email and not SHOP_EMAIL.fullmatch(email):
        raise SettingsError(f"ACR3D_SHOP_EMAIL must be one email address; {email!r} is not.")
    if phone and not SHOP_PHONE.fullmatch(phone):
        raise SettingsError(f"ACR3D_SHOP_PHONE must be a phone number; {phone!r} is not.")
    if whatsapp and not SHOP_WHATSAPP.fullmatch(whatsapp):
        raise SettingsError(
            "ACR3D_SHOP_WHATSAPP must be a phone number with its country code, like +49 151 …"
        )
    return Shop(
        read.text("ACR3D_SHOP_NAME")[:80], _logo(read.text("ACR3D_SHOP_LOGO")), email, phone, whatsapp
    )


def plain_number(text: str) -> str:
    """A phone number without what people put between its digits."""
    return re.sub(r"[\s+()/.-]", "", text)


def _logo(value: str) -> Path | None:
    if not value:
        return None
    path = Path(value)
    if not path.is_absolute() or not path.is_file() or path.suffix not in LOGO_TYPES:
        raise SettingsError(
            f"ACR3D_SHOP_LOGO must be the absolute path of a file that ends in {', '.join(LOGO_TYPES)}; "
            f"{value!r} is not."
        )
    return path


def _metrics_token(value: str) -> str:
    if value and not re.fullmatch(r"[!-~]{16,256}", value):
        raise SettingsError("ACR3D_METRICS_TOKEN must be 16 to 256 characters without spaces, hard to guess.")
    return value


def _notices(read: _Reader) -> dict[str, str]:
    """Where notices go to."""
    smtp, sender = read.secret("ACR3D_SMTP_URL"), read.text("ACR3D_MAIL_FROM")
    hook, secret = read.secret("ACR3D_NOTICE_WEBHOOK"), read.secret("ACR3D_NOTICE_WEBHOOK_SECRET")
    if smtp and not _has_host(smtp, ("smtp", "smtps")):
        raise SettingsError("ACR3D_SMTP_URL must look like smtp://user:password@host:587 or smtps://host.")
    if smtp and not SHOP_EMAIL.fullmatch(sender):
        raise SettingsError("ACR3D_MAIL_FROM must be the email address that mails come from.")
    if hook and not _has_host(hook, ("http", "https")):
        raise SettingsError("ACR3D_NOTICE_WEBHOOK must be an http:// or https:// address.")
    if hook and len(secret) < _LEAST_SECRET:
        raise SettingsError(
            f"ACR3D_NOTICE_WEBHOOK_SECRET must have at least {_LEAST_SECRET} characters, hard to guess."
        )
    return {"smtp": smtp, "mail_from": sender, "notice_webhook": hook, "notice_webhook_secret": secret}


def _has_host(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _webhook_path(value: str, instance: Path) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9_-]{16,128}", value):
        raise SettingsError(
            "ACR3D_WEBHOOK_PATH must be 16 to 128 letters, digits, “-” or “_”, and hard to guess."
        )
    return value or _kept_secret(instance / "webhook_path")


def _kept_secret(path: Path) -> str:
    """The secret in `path`, created once with mode 0600. Two processes that start at once agree on it."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)  # atomic, and only for the first process
        fresh.unlink()
    kept = path.read_text(encoding="ascii").strip()
    if len(kept) < 32:
        raise SettingsError(f"{path} is damaged. Delete it to create a new one; the old value stops working.")
    return kept


def current() -> Settings:
    """The settings of the running app."""
    kept: Settings = current_app.extensions["acr3d_settings"]
    return kept
