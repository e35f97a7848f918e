"""The settings that an engine or a platform needs, declared once for forms, the workspace file and validation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["text", "host", "integer", "boolean", "choice", "secret", "mapping"]
HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
"""A host name, or an IP address: no list of hosts, no path of a socket, no user, and no port."""


@dataclass(frozen=True)
class Parameter:
    """One setting. A `secret` is stored encrypted and never shown again; all others are plain configuration.

    A `mapping` maps names to one of `choices`. In a form, it is text with one `name: choice` per line.
    """

    name: str
    label: str
    kind: Kind = "text"
    required: bool = True
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    least: int | None = None
    most: int | None = None
    lines: bool = False
    """Whether the text may have several lines, such as a certificate."""
    recipient: bool = False
    """Whether it decides to whom the secrets are sent, such as a host or a region."""
    public: bool = False
    """Whether a secret is only stored like one and may be known to anybody, such as the certificate of an authority."""
    first: bool = False
    """Whether forms show it first although it is optional. See `matters`."""

    @property
    def secret(self) -> bool:
        return self.kind == "secret"

    @property
    def matters(self) -> bool:
        """Whether a form shows it first, rather than under “More options”."""
        needed = self.required and self.default is None
        return self.first or needed or self.recipient or (self.secret and not self.lines)

    def clean(self, value: Any) -> Any:
        """The value converted to the parameter's type, or the default if it is empty.

        Raises:
            Misconfigured: the value is required and empty, or has the wrong type.
        """
        if value is None or value == "":
            if self.required and self.default is None:
                raise Misconfigured("parameter_missing", f"{self.label} is required.", where=self.name)
            return self.default
        return _CLEANERS[self.kind](self, value)

    def refuse(self, expected: str) -> Misconfigured:
        """The problem to raise for a value that is not `expected`, e.g. "a whole number"."""
        return Misconfigured("parameter_invalid", f"{self.label} must be {expected}.", where=self.name)


def clean(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits raw values into plain configuration and secrets.

    Raises:
        Misconfigured: no parameter has that name, or a value is missing or invalid.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise Misconfigured("parameter_unknown", f"There is no setting named “{name}” here.", where=name)
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for name, parameter in known.items():
        (secret if parameter.secret else plain)[name] = parameter.clean(values.get(name))
    return plain, secret


def recipient_change(
    parameters: Sequence[Parameter], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Parameter | None:
    """The first setting because of which the secrets would be sent to somebody else; None if there is none."""
    for parameter in parameters:
        old, new = ((plain.get(parameter.name) or parameter.default) for plain in (before, after))
        if parameter.recipient and old != new:
            return parameter
    return None


def kept_secret(parameter: Parameter, secrets: Mapping[str, Any], change: Parameter | None) -> Any:
    """The stored value of a secret that was left out; None if there is none.

    A person who may change the settings may not know the secret. So it is never sent to a recipient for whom it was not
    entered, not even to test the settings.

    Args:
        change: the result of `recipient_change`.

    Raises:
        Misconfigured: the secret would be sent to somebody else.
    """
    stored = secrets.get(parameter.name)
    if stored and change and not parameter.public:
        message = f"Enter the {_inline(parameter)} again, because the {_inline(change)} has changed."
        raise Misconfigured("secret_needed", message, where=parameter.name)
    return stored


def _inline(parameter: Parameter) -> str:
    return parameter.label[:1].lower() + parameter.label[1:]


def _text(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise parameter.refuse("text")
    return str(value).strip()


def _host(parameter: Parameter, value: Any) -> str:
    host = _text(parameter, value)
    if not HOST.fullmatch(host):
        raise parameter.refuse("one host name or IP address, such as db.example.com, without a port or path")
    return host


def _integer(parameter: Parameter, value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise parameter.refuse("a whole number") from None
    if (parameter.least is not None and number < parameter.least) or (
        parameter.most is not None and number > parameter.most
    ):
        raise parameter.refuse(_range(parameter))
    return number


def _range(parameter: Parameter) -> str:
    if parameter.most is None:
        return f"a whole number, {parameter.least} or more"
    if parameter.least is None:
        return f"a whole number, {parameter.most} or less"
    return f"a whole number from {parameter.least} to {parameter.most}"


def _boolean(parameter: Parameter, value: Any) -> bool:
    if not isinstance(value, bool):
        raise parameter.refuse("true or false")
    return value


def _choice(parameter: Parameter, value: Any) -> str:
    allowed = [slug for slug, _ in parameter.choices]
    if value not in allowed:
        raise parameter.refuse(f"one of {', '.join(allowed)}")
    return str(value)


def _mapping(parameter: Parameter, value: Any) -> dict[str, str] | None:
    pairs = value.items() if isinstance(value, dict) else _pairs(parameter, value)
    allowed = [slug for slug, _ in parameter.choices]
    mapping: dict[str, str] = {}
    for name, chosen in pairs:
        if chosen not in allowed:
            raise parameter.refuse(f"one of {', '.join(allowed)} for each name, but it is not for “{name!s}”")
        if str(name) in mapping:
            raise parameter.refuse(f"given once for each name, but “{name!s}” is listed twice")
        mapping[str(name)] = str(chosen)
    return mapping or None


def _pairs(parameter: Parameter, value: Any) -> list[tuple[str, str]]:
    """The names and choices of a text with one `name: choice` per line. A name can contain colons."""
    if not isinstance(value, str):
        raise parameter.refuse("a list of names, each with its choice")
    pairs = []
    for number, line in enumerate(value.splitlines(), start=1):
        name, colon, chosen = line.rpartition(":")
        if line.strip() and not (colon and name.strip()):
            example = parameter.choices[0][0]
            raise parameter.refuse(f"one `name: {example}` per line, but line {number} is not")
        if line.strip():
            pairs.append((name.strip(), chosen.strip()))
    return pairs


def mapping_text(mapping: Mapping[str, str] | None) -> str:
    """A mapping as text with one `name: choice` per line, as forms show it."""
    return "\n".join(f"{name}: {chosen}" for name, chosen in (mapping or {}).items())


_CLEANERS = {
    "text": _text,
    "host": _host,
    "secret": _text,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
    "mapping": _mapping,
}
