"""`manage.py tokens`: creates, lists and revokes the trigger tokens of an activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from activations.models import Activation, TriggerToken
from activations.runs import tokens
from core.commands import ScriptedCommand
from core.errors import Misconfigured

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

CREATED_BY = "manage.py"


class Command(ScriptedCommand):
    """Creates, lists and revokes trigger tokens."""

    help = (
        "Trigger tokens, with which programs start runs of one activation. `create` prints the token, which is "
        "not shown again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action, words in (
            ("create", "creates a token and prints it"),
            ("revoke", "ends the use of a token"),
            ("list", "lists the tokens in use"),
        ):
            one = actions.add_parser(action, help=words)
            one.add_argument("activation", help="the activation's name")
            if action != "list":
                one.add_argument("name", help="which program uses the token, such as dbt")

    def handle(self, *args: Any, **options: Any) -> None:
        activation = Activation.objects.filter(name=options["activation"]).first()
        if activation is None:
            self.refuse(f"There is no activation named {options['activation']!r}.")
        if options["action"] == "create":
            self._create(activation, options["name"])
        elif options["action"] == "revoke":
            self._revoke(activation, options["name"])
        else:
            lines = [sentence(token) for token in tokens.in_use(activation)]
            self.stdout.write("\n".join(lines) or "The activation has no trigger tokens.")

    def _create(self, activation: Activation, name: str) -> None:
        try:
            self.stdout.write(tokens.create(activation, name, CREATED_BY)[1])
        except Misconfigured as problem:
            self.refuse(problem.message)

    def _revoke(self, activation: Activation, name: str) -> None:
        found = tokens.in_use(activation).filter(name=name).first()
        if found is None:
            self.refuse(f"The activation has no token named {name!r} in use.")
        tokens.revoke(found, timezone.now())
        self.stderr.write(f"Revoked the token {name!r}.")


def sentence(token: TriggerToken) -> str:
    """A token in one line, without its secret."""
    used = f"last used {token.last_used_at:%Y-%m-%d %H:%M} UTC" if token.last_used_at else "never used"
    return f"{token.name}: {token.hint}…, created {token.created_at:%Y-%m-%d}, {used}"
