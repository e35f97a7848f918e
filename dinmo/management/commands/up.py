"""`manage.py up`: runs broker, web, worker, beat and the vendor simulators on one machine."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connections

from core.errors import Problem
from core.secrets import redact
from destinations import simulators
from destinations.registry import platforms
from dinmo.demo import data as demo_data
from dinmo.keys import private_directory
from dinmo.local import announcement, broker, programs
from dinmo.local.login import first_login
from dinmo.local.logs import Logs
from dinmo.local.machine import HOST, exclusive_runtime, free_port, port_is_free
from dinmo.local.supervisor import Program, Supervisor
from dinmo.security.startup import refuse_unsafe_start

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORT = 8000
LOGS = "logs"
OFF = ("0", "false", "no", "off")


class Command(BaseCommand):
    help = (
        "Runs everything on this machine until you press Ctrl-C. "
        "PORT is the port of the web server (default: 8000). SANDBOX=0 leaves out the vendor simulators. "
        "LOGS=1 shows the logs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        port = web_port(os.environ.get("PORT", ""))
        try:
            with exclusive_runtime(settings.VAR_DIR):
                self._supervisor(port).run()
        except Problem as problem:
            raise CommandError(problem.message) from None

    def _supervisor(self, port: int) -> Supervisor:
        if not port_is_free(port):
            raise CommandError(
                f"Port {port} is in use by a different program. Stop that program, "
                f"or choose a different port: PORT={free_port(port + 1)} make up"
            )
        running, broker_url = _broker()
        self._migrate()
        refuse_unsafe_start()
        ports = _sandbox_ports()
        if ports:
            demo_data.write_if_missing(settings.SOURCE_FILES_ROOT)
            running.append(programs.sandboxes(settings.BASE_DIR / "manage.py", ports))
        running += [programs.planner(), programs.deliverer(), programs.beat(settings.VAR_DIR), programs.web(port)]
        urls = {platforms[slug].url_variable: f"http://{HOST}:{number}" for slug, number in ports.items()}
        environment = programs.environment(os.environ, settings.BASE_DIR, broker_url, f"http://{HOST}:{port}", urls)
        simulated = [
            announcement.Simulated(platform.label, url, variable, used=environment[variable] == url)
            for variable, url in urls.items()
            for platform in platforms.all.values()
            if platform.url_variable == variable
        ]
        used = {each.variable for each in simulated if each.used}
        in_use = [slug for slug in ports if platforms[slug].url_variable in used]
        environment[simulators.VARIABLE] = " ".join(in_use)
        logs = Logs(settings.VAR_DIR / LOGS, shown=_is_on(os.environ.get("LOGS", "")))
        names = [program.name for program in running]
        announce = partial(self._announce, port, names, simulated, logs)
        return Supervisor(running, environment, self._write, announce, logs)

    def _migrate(self) -> None:
        self._write("Preparing the database.")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except Error as error:
            raise CommandError(
                f"The database can't be used. Check DATABASE_URL. It reported: {redact(str(error).strip())}"
            ) from None
        finally:
            connections.close_all()

    def _announce(
        self, port: int, names: Sequence[str], simulated: Sequence[announcement.Simulated], logs: Logs
    ) -> None:
        login = first_login()
        connections.close_all()
        url, token = f"http://{HOST}:{port}/", simulators.token()
        text = announcement.lines(url, login, names, simulated, token, logs.directory, shown=logs.shown)
        self._write("\n".join(text))

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def web_port(text: str) -> int:
    """The port number in PORT, or 8000 if it is empty.

    Raises:
        CommandError: it is not a valid port number.
    """
    if not text:
        return DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 65_535:
        raise CommandError(f"PORT is {text!r}. Enter a number from 1 to 65535, for example: PORT=8001 make up")
    return int(text)


def _broker() -> tuple[list[Program], str]:
    chosen = broker.configured_url(os.environ)
    if chosen:
        broker.check_connection(chosen)
        return [], chosen
    command, socket = broker.prepare(settings.VAR_DIR, os.environ)
    logs = private_directory(settings.VAR_DIR / LOGS)
    return [programs.embedded_broker(command, socket, logs / "broker.log")], broker.url(socket)


def _is_on(text: str) -> bool:
    return bool(text) and text.lower() not in OFF


def _sandbox_ports() -> dict[str, int]:
    if os.environ.get("SANDBOX", "").lower() in OFF:
        return {}
    return {slug: free_port(platform.sandbox_port) for slug, platform in platforms.all.items()}
