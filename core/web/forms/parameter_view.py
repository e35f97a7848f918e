"""The stored settings of an engine or a platform, for pages of users who can't change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.html import format_html, format_html_join

from core.errors import Misconfigured
from core.parameters import mapping_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.safestring import SafeString

    from core.parameters import Parameter

EMPTY = "\N{EN DASH}"


def shown(parameters: Iterable[Parameter], row: Any) -> SafeString:
    """A list of labels and values. Of a secret, it says only whether one is stored.

    Args:
        row: a source or a connection, with `config` and `secrets`.
    """
    secrets = _secrets(row)
    lines = [(each.label, _words(each, row.config, secrets)) for each in parameters]
    return format_html('<dl class="d-settings">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", lines))


def _secrets(row: Any) -> Mapping[str, Any] | None:
    """The stored secrets; None if they can't be decrypted."""
    try:
        return dict(row.secrets)
    except Misconfigured:
        return None


def _words(parameter: Parameter, config: Mapping[str, Any], secrets: Mapping[str, Any] | None) -> str:
    if parameter.secret:
        return "Can't be decrypted" if secrets is None else "Stored, hidden" if secrets.get(parameter.name) else EMPTY
    value = config.get(parameter.name, parameter.default)
    if parameter.kind == "boolean":
        return "Yes" if value else "No"
    if parameter.kind == "mapping":
        return mapping_text(value) or EMPTY
    return str(dict(parameter.choices).get(value, value)) if value not in (None, "") else EMPTY
