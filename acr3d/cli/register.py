"""Registers acr3d's commands with `flask`."""

from __future__ import annotations

from flask import Flask

from acr3d.cli.backup import backup_command, drill_command, restore_command
from acr3d.cli.demo import demo_command
from acr3d.cli.doctor.command import doctor_command
from acr3d.cli.engine import engine
from acr3d.cli.jobs import jobs
from acr3d.cli.parts import parts
from acr3d.cli.photos import photos
from acr3d.cli.storage import storage_commands, sweep_command
from acr3d.cli.users import users
from acr3d.cli.webhook import webhook
from acr3d.cli.worker import worker_command

_COMMANDS = (
    *(users, parts, photos, jobs, worker_command, engine, webhook, storage_commands),
    *(doctor_command, demo_command, backup_command, drill_command, restore_command, sweep_command),
)


def register(app: Flask) -> None:
    for command in _COMMANDS:
        app.cli.add_command(command)
