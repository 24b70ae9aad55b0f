"""`create_app`: wiring only. It starts no thread and opens no socket."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from acr3d import cli, database, settings
from acr3d.extensions import babel, csrf, db, migrate
from acr3d.generation.engines import Engines
from acr3d.generation.hints import Hints
from acr3d.settings import Settings
from acr3d.storage import LocalStorage
from acr3d.web import (
    admin,
    api,
    api_orphans,
    api_versions,
    auth,
    failures,
    guards,
    headers,
    health,
    media,
    pages,
    public,
    static,
    webhooks,
)

ROOT = Path(__file__).parent.parent
FORM_BYTES = 1024 * 1024


def create_app(config: Settings | None = None) -> Flask:
    """The whole application for `config` (default: what the environment says)."""
    config = config or settings.from_environment()
    app = Flask(
        "acr3d",
        root_path=str(ROOT),
        instance_path=str(config.instance),
        static_folder=None,
        template_folder=str(ROOT / "templates"),
    )
    app.config.from_mapping(_flask_settings(config))
    app.extensions["acr3d_settings"] = config
    app.extensions["acr3d_engines"] = Engines(config)
    app.extensions["acr3d_hints"] = Hints(app)
    app.extensions["acr3d_storage"] = LocalStorage(config.storage_folder)
    guards.install(app)
    _bind_extensions(app)
    pages.install(app)
    failures.install(app)
    for area in (public, auth, admin, api, api_orphans, api_versions, media, health, webhooks):
        app.register_blueprint(area.bp)
    headers.install(app)
    static.install(app)
    cli.register(app)
    if config.proxy_count:
        hops = config.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        database.prepare(db.engine)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(
        app,
        default_translation_directories=str(ROOT / "translations"),
        locale_selector=pages.chosen_language,
    )


def _flask_settings(config: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": database.engine_options(config.database_url),
        "MAX_CONTENT_LENGTH": FORM_BYTES,  # an upload of photos raises it for itself
        "MAX_FORM_MEMORY_SIZE": FORM_BYTES,
        "TRUSTED_HOSTS": list(config.trusted_hosts) or None,
        "SESSION_COOKIE_NAME": "__Host-session" if config.is_https else "session",
        "SESSION_COOKIE_SECURE": config.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": config.is_https,
        "PREFERRED_URL_SCHEME": "https" if config.is_https else "http",
    }
