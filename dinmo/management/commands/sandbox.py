"""`manage.py sandbox`: serves the vendor simulators over HTTP until it is stopped."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentTypeError
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from core.commands import ScriptedCommand
from destinations import simulators
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from destinations.contract import Platform


class Command(ScriptedCommand):
    help = (
        "Serves a simulator of each vendor on this machine. "
        "SANDBOX_TOKEN is the token that the simulators accept (default: sandbox-token)."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        for slug, platform in platforms.all.items():
            parser.add_argument(
                f"--{slug}-port",
                type=port_number,
                default=platform.sandbox_port,
                metavar="N",
                help=f"port of the {platform.label} simulator (default: {platform.sandbox_port}); 0 picks a free port",
            )
        parser.add_argument(
            "--fill",
            type=whole_number,
            default=0,
            metavar="N",
            help="number of sample companies to create in each simulator at startup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        token = simulators.token()
        stop = threading.Event()
        with ExitStack() as opened:
            ports = {slug: options[f"{slug}_port".replace("-", "_")] for slug in platforms.all}
            servers = {
                slug: opened.enter_context(_server(platforms[slug], token, port)) for slug, port in ports.items()
            }
            for server in servers.values():
                server.sandbox.fill(options["fill"])
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
            for slug, server in servers.items():
                self.stdout.write(f"{platforms[slug].label}: {server.url} ({platforms[slug].url_variable})")
            self.stdout.flush()
            stop.wait()


def port_number(text: str) -> int:
    """A TCP port, or 0 for a free one.

    Raises:
        ArgumentTypeError: it is not a valid port number.
    """
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a valid port. Enter a number from 0 to 65535.")
    return int(text)


def whole_number(text: str) -> int:
    """A number of records.

    Raises:
        ArgumentTypeError: it is not a whole number.
    """
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is not a whole number.")
    return int(text)


def _server(platform: Platform, token: str, port: int) -> Server:
    try:
        return Server(sandboxes[platform.slug](token), port)
    except OSError:
        raise CommandError(
            f"Port {port} for the {platform.label} simulator is already in use. "
            f"Choose a different port with --{platform.slug}-port N (0 picks a free port)."
        ) from None
