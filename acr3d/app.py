"""`create_app`: wiring only. It starts no thread and opens no socket."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from acr3d import settings
from acr3d.cli import register as cli
from acr3d.db import session
from acr3d.db.extensions import babel, csrf, db, migrate
from acr3d.engines.registry import Engines
from acr3d.jobs.webhook_hints import Hints
from acr3d.parts import search_index
from acr3d.settings import Settings
from acr3d.start import measuring
from acr3d.storage.connect import connect
from acr3d.web import (
    access,
    auth,
    body_sizes,
    cross_origin,
    error_handlers,
    health,
    hosts,
    invitations,
    media,
    metrics,
    photo_archive,
    proxies,
    request_ids,
    request_rate,
    second_factor,
    security_headers,
    static,
    templating,
    webhooks,
)
from acr3d.web.admin import overview
from acr3d.web.api import register as api
from acr3d.web.kept_pages import KeptPages
from acr3d.web.public import downloads, feed, head, languages, sharing, shop, sitemap
from acr3d.web.public import pages as public
from acr3d.web.repeated_requests import RepeatedRequests

ROOT = Path(__file__).parent.parent
FORM_BYTES = 1024 * 1024


def create_app(config: Settings | None = None) -> Flask:
    """The whole application for `config` (default: from the environment)."""
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
    app.extensions["acr3d_kept_pages"] = KeptPages()
    app.extensions["acr3d_storage"] = connect(config.bucket, config.storage_folder, config.storage_copies_mb)
    request_ids.install(app, config)
    proxies.install(app)
    hosts.install(app)
    access.install(app)
    body_sizes.install(app)
    photo_archive.install(app)
    request_rate.install(app)
    _bind_extensions(app)
    templating.install(app)
    shop.install(app)
    error_handlers.install(app)
    for area in (public, sharing, downloads, feed, sitemap):
        app.register_blueprint(area.bp)
    for area in (auth, second_factor, invitations, overview, media, health, webhooks):
        app.register_blueprint(area.bp)
    languages.install(app)
    head.install(app)
    api.register(app)
    cross_origin.install(app)
    security_headers.install(app)
    static.install(app)
    cli.register(app)
    app.wsgi_app = RepeatedRequests(app)  # type: ignore[method-assign]
    if config.proxy_count:
        hops = config.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    metrics.install(app, measuring.begin(config))
    return app


def _bind_extensions(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        session.prepare(db.engine)
    search_index.follow_changes()
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    babel.init_app(
        app,
        default_translation_directories=str(ROOT / "translations"),
        locale_selector=templating.chosen_language,
    )


def _flask_settings(config: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": session.engine_options(config.database_url),
        "MAX_CONTENT_LENGTH": FORM_BYTES,  # photo uploads raise it for their request
        "MAX_FORM_MEMORY_SIZE": FORM_BYTES,
        "SESSION_COOKIE_NAME": "__Host-session" if config.is_https else "session",
        "SESSION_COOKIE_SECURE": config.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": config.is_https,
        "PREFERRED_URL_SCHEME": "https" if config.is_https else "http",
    }
