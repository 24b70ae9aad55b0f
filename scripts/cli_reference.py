"""Print docs/cli.md: every `flask` command of acr3d with its own help text (`make docs`)."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

import click
from flask import Flask

INTRO = """\
# Commands

`.venv/bin/flask --app wsgi COMMAND`, after `make setup`. `flask --help` lists all commands and
`flask COMMAND --help` explains one. This page is generated from them by `make docs`.

Flask's own commands are there too: `flask db upgrade` brings the database up to date, `flask
routes` lists the addresses.
"""
FLASKS_OWN = {"db", "routes", "run", "shell"}


def reference(app: Flask) -> str:
    """The whole page as Markdown."""
    root = click.Context(app.cli, info_name="flask")
    return INTRO + "".join(_section(path, command) for path, command in _commands(app.cli, root))


def _commands(
    group: click.Group, context: click.Context, path: str = ""
) -> Iterator[tuple[str, click.Command]]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if not path and name in FLASKS_OWN:
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, context, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"flask {path}")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"\n## {path}\n", f"```text\nflask {path} {usage}\n```\n", _wrapped(command.help or "")]
    options = [param for param in command.params if isinstance(param, click.Option)]
    rows = filter(None, (option.get_help_record(context) for option in options))
    listed = "".join(_item(f"- `{names}`: {' '.join(text.split())}") for names, text in rows)
    return "\n".join([*lines, listed] if listed else lines)


def _wrapped(text: str) -> str:
    paragraphs = inspect.cleandoc(text).replace("\b\n", "").split("\n\n")
    return "\n\n".join(textwrap.fill(" ".join(each.split()), 100) for each in paragraphs) + "\n"


def _item(text: str) -> str:
    return textwrap.fill(text, 100, subsequent_indent="  ") + "\n"


if __name__ == "__main__":
    from wsgi import app

    print(reference(app), end="")
