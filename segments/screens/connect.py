"""Connecting a source: the choice of its kind, which settings come first, and its name.

A page of a higher floor that leads through more steps sets `request.guide`, and gets the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.template.response import TemplateResponse

from core.text.names import free_name
from core.web.parameter_form import PREFIX
from segments.models import Source
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    from segments.contract import Engine


@dataclass(frozen=True)
class Guide:
    """How a page that leads through several steps embeds this one.

    Args:
        context: additional template context, such as the steps.
        connected: returns the response that opens the step after a source was saved, whether its test succeeded or not.
    """

    context: dict[str, Any]
    connected: Callable[[Source], HttpResponse]


def guide_of(request: HttpRequest) -> Guide | None:
    """The page that embeds this one, if any."""
    return getattr(request, "guide", None)


def context(request: HttpRequest) -> dict[str, Any]:
    """Template context of the pages that connect a source."""
    guide = guide_of(request)
    return {"screen_above": "screens/connect/source.html", **(guide.context if guide else {})}


def choice(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page with a card for each kind of source; those that were not tried against a live account come last."""
    ordered = sorted(engines.all.values(), key=lambda engine: (bool(engine.note), engine.label.lower()))
    return TemplateResponse(request, "screens/connect/engines.html", {**context, "engines": ordered})


def inputs(engine: Engine) -> tuple[list[str], list[str]]:
    """PURE. The form fields that matter first, and those under “More options”. A file is uploaded first."""
    folded = {"path"} if engine.endings else set()
    first = [each.name for each in engine.parameters if each.matters and each.name not in folded]
    more = [each.name for each in engine.parameters if each.name not in first]
    upload = ["upload"] if engine.endings else []
    return [*upload, *(PREFIX + name for name in first)], [PREFIX + name for name in more]


def name_of(engine: Engine, config: Mapping[str, Any]) -> str:
    """A free name for a source: that of its file, or its engine with the database."""
    return free_name(wanted_name(engine.label, config), lambda name: Source.objects.filter(name=name).exists())


def wanted_name(label: str, config: Mapping[str, Any]) -> str:
    """PURE. The name that a source gets if it is free: “Paying customers” for the file paying-customers.csv."""
    if config.get("path"):
        words = PurePath(str(config["path"])).stem.replace("-", " ").replace("_", " ").strip()
        return f"{words[:1].upper()}{words[1:]}" or label
    place = config.get("database") or config.get("project") or config.get("dataset")
    return f"{label} · {place}" if place else label
