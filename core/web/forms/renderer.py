"""How forms become HTML: the most frequent widgets without templates, which take several times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Widget = Mapping[str, Any]

OPTION = "django/forms/widgets/select_option.html"
AFFIXES = ("prefix", "prefix_icon", "suffix", "suffix_icon")
ARROW = (
    '<span class="material-symbols-outlined absolute group-[.primary]:text-white pointer-events-none mr-[12px] right-0 '
    "text-base-400 top-0 top-1/2 hover:text-base-700 dark:text-base-500 dark:hover:text-base-200 "
    '-translate-y-1/2">expand_more</span>'
)


class QuickRenderer(DjangoTemplates):
    """Writes inputs, checkboxes and selects as their templates do, and renders the template of anything else."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        write = _WRITERS.get(template_name)
        written = write(context["widget"]) if write else ""
        return mark_safe(written) if written else super().render(template_name, context, request)  # noqa: S308


def _input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{conditional_escape(widget["value"])}"'
    kind, name = conditional_escape(widget["type"]), conditional_escape(widget["name"])
    return f'<input type="{kind}" name="{name}"{value}{_attributes(widget)}>'


def _unfold_text(widget: Widget) -> str:
    """An input in the frame of Unfold; "" if something stands before or behind it."""
    if any(widget.get(name) for name in AFFIXES):
        return ""
    return f'<div class="max-w-2xl relative w-full">{_input(widget)}</div>'


def _unfold_select(widget: Widget) -> str:
    """A select in the frame of Unfold; "" if its options have templates of their own."""
    select = _select(widget)
    return select and f'<div class="grow relative max-w-2xl">{select}{ARROW}</div>'


def _select(widget: Widget) -> str:
    """A select; "" if its options have templates of their own."""
    groups = [(name, options) for name, options, _ in widget["optgroups"]]
    if any(option["template_name"] != OPTION for _, options in groups for option in options):
        return ""
    start = f'<select name="{conditional_escape(widget["name"])}"{_attributes(widget)}>'
    return f"{start}{''.join(map(_group, groups))}</select>"


def _group(group: tuple[Any, list[Widget]]) -> str:
    name, options = group
    written = "".join(map(_option, options))
    return f'<optgroup label="{conditional_escape(name)}">{written}</optgroup>' if name else written


def _option(option: Widget) -> str:
    value, label = conditional_escape(option["value"]), conditional_escape(option["label"])
    return f'<option value="{value}"{_attributes(option)}>{label}</option>'


def _attributes(widget: Widget) -> str:
    shown = [(name, value) for name, value in widget["attrs"].items() if value is not False]
    return "".join(
        f" {conditional_escape(name)}"
        if value is True
        else f' {conditional_escape(name)}="{conditional_escape(value)}"'
        for name, value in shown
    )


_WRITERS: dict[str, Callable[[Widget], str]] = {
    **{
        f"django/forms/widgets/{name}.html": _input
        for name in ("input", "text", "number", "email", "password", "hidden", "checkbox")
    },
    "django/forms/widgets/select.html": _select,
    "unfold/widgets/text.html": _unfold_text,
    "unfold/widgets/select.html": _unfold_select,
}
"""Returns the HTML of a widget; "" if its template is needed after all."""
