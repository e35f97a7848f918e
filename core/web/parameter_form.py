"""Form fields for the settings that an engine or a platform declares, and the values that were submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.parameters import Parameter, clean, kept_secret, mapping_text, recipient_change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.errors import Misconfigured

PREFIX = "setting_"
AGAIN = "Enter this again. It is not kept when a form is refused."
KEPT = "A value is stored and is never shown. Leave this empty to keep it."


def fields(
    parameters: Sequence[Parameter], config: Mapping[str, Any], secrets: Mapping[str, Any]
) -> dict[str, forms.Field]:
    """A form field for each parameter, by field name, with the stored value filled in unless it is a secret."""
    return {PREFIX + parameter.name: _field(parameter, config, secrets) for parameter in parameters}


def values(
    parameters: Sequence[Parameter],
    cleaned: Mapping[str, Any],
    config: Mapping[str, Any],
    secrets: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain configuration and secrets from a submitted form.

    An empty secret keeps the stored one, unless it would be sent to somebody else.

    Args:
        config, secrets: the stored settings.

    Raises:
        Misconfigured: a value is missing or has the wrong type; `where` is the parameter's name.
    """
    raw = {parameter.name: cleaned.get(PREFIX + parameter.name) for parameter in parameters}
    change = recipient_change(parameters, config, raw)
    for parameter in parameters:
        if parameter.secret and not raw[parameter.name]:
            raw[parameter.name] = kept_secret(parameter, secrets, change)
    return clean(parameters, raw)


def report(form: forms.BaseForm, problem: Misconfigured) -> None:
    """Shows the problem next to its field, or above the form if it has none."""
    name = PREFIX + problem.where
    form.add_error(name if name in form.fields else None, problem.message)


def ask_again(form: forms.BaseForm, parameters: Sequence[Parameter]) -> None:
    """Requires each secret to be entered again if the form has errors.

    Pages never contain secrets, so the field is empty when the form is shown again, and saving it empty would silently
    keep the stored secret.
    """
    if not form.errors:
        return
    for parameter in parameters:
        name = PREFIX + parameter.name
        if parameter.secret and form.data.get(form.add_prefix(name)) and name not in form.errors:
            form.add_error(name, AGAIN)


def _field(parameter: Parameter, config: Mapping[str, Any], secrets: Mapping[str, Any]) -> forms.Field:
    stored = bool(parameter.secret and secrets.get(parameter.name))
    common: dict[str, Any] = {
        "label": parameter.label,
        "help_text": " ".join(filter(None, [parameter.help, KEPT if stored else ""])),
        "required": parameter.required and parameter.default is None and not stored and parameter.kind != "boolean",
    }
    if not parameter.secret:
        common["initial"] = config.get(parameter.name, parameter.default)
    if parameter.kind == "mapping":
        common["initial"] = mapping_text(common["initial"])
    return _KINDS[parameter.kind](parameter, common)


class SecretLines(UnfoldAdminExpandableTextareaWidget):  # type: ignore[misc, unused-ignore]
    """For a certificate or a key. Like a password input, it is empty again if the form is shown with errors."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)  # type: ignore[no-any-return]


def _text(_parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)


def _host(_parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    return forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false"}), **common)


def _integer(_parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget(), **common)


def _boolean(_parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)


def _choice(parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    empty = [] if common["required"] or parameter.default is not None else [("", "---------")]
    return forms.ChoiceField(choices=[*empty, *parameter.choices], widget=UnfoldAdminSelectWidget(), **common)


def _secret(parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    if parameter.lines:
        return forms.CharField(
            widget=SecretLines(attrs={"autocomplete": "off", "spellcheck": "false", "rows": 3}), **common
        )
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(widget=widget, **common)


def _mapping(parameter: Parameter, common: dict[str, Any]) -> forms.Field:
    example = f"name: {parameter.choices[0][0]}"
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false", "placeholder": example})
    return forms.CharField(widget=widget, **common)


_KINDS = {
    "text": _text,
    "host": _host,
    "integer": _integer,
    "boolean": _boolean,
    "choice": _choice,
    "secret": _secret,
    "mapping": _mapping,
}
