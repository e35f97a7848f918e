"""A select with hundreds of options, such as time zones, that is rendered in a few milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from unfold.widgets import UnfoldAdminSelectWidget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.safestring import SafeString

ARROW = (
    '<span class="material-symbols-outlined absolute pointer-events-none mr-[12px] right-0 text-base-400 top-1/2 '
    'dark:text-base-500 -translate-y-1/2" aria-hidden="true">expand_more</span>'
)


class LongSelect(UnfoldAdminSelectWidget):
    """As Unfold's select, without groups. Django renders a template for each option, which takes 0.2 ms."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        options = [option for _, group, _ in widget["optgroups"] for option in group]
        return format_html(
            '<div class="grow relative max-w-2xl"><select name="{}"{}>{}</select>' + ARROW + "</div>",
            widget["name"],
            flatatt({name: value for name, value in widget["attrs"].items() if value is not False}),
            _options(options),
        )


def _options(options: Iterable[Mapping[str, Any]]) -> SafeString:
    rows = [(option["value"], flatatt(option["attrs"]), option["label"]) for option in options]
    return format_html_join("", '<option value="{}"{}>{}</option>', rows)
