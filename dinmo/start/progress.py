"""How far a person's setup is: what was chosen in this session, or else what exists and was not used yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from activations.models import Activation, Run
from activations.screens.editor import drafts
from destinations.contract import Mode
from destinations.models import Destination
from destinations.registry import services
from dinmo.start.steps import Place, Step, following, steps
from segments.models import DataModel, Source

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest

    from destinations.contract import Service

KEY = "start"
"""The key of the session."""


@dataclass
class Progress:
    """The choices of one setup. A choice that no longer exists is empty."""

    service: Service | None = None
    source: Source | None = None
    model: DataModel | None = None
    destination: Destination | None = None
    activation: Activation | None = None
    run: Run | None = None

    @property
    def done(self) -> set[str]:
        """The names of the steps that are done."""
        reached = {
            "what": self.service,
            "source": self.source,
            "rows": self.model,
            "vendor": self.destination,
            "map": self.activation,
            "run": self.run,
        }
        return {name for name, choice in reached.items() if choice}

    @property
    def places(self) -> list[Place]:
        """The steps with their addresses. A step without what it builds on has none."""
        label = self.service.platform.label if self.service else "the destination"
        ready = [self.service, self.service, self.source, self.model, self.destination, self.activation]
        listed = [
            Place("what", "Choose", reverse("start")),
            Place("source", "Connect a source", reverse("start-source")),
            Place("rows", "Choose the rows", reverse("start-rows")),
            Place("vendor", f"Connect {label}", reverse("start-vendor")),
            Place("map", "Map the fields", self.editor_url),
            Place("run", "First run", self.activation_url),
        ]
        return [
            place if needed or place.name == "what" else Place(place.name, place.title)
            for place, needed in zip(listed, ready, strict=True)
        ]

    @property
    def editor_url(self) -> str:
        """Where the fields are mapped: a new activation with what the person has entered, or the one that exists."""
        if self.activation:
            return self.activation_url
        if not self.model or not self.destination:
            return ""
        # The page is left while the draft is being stored, so the editor finds it, not the page with this address.
        chosen = urlencode(
            {"records": f"model:{self.model.pk}", "destination": self.destination.pk, "draft": drafts.LATEST}
        )
        # An empty destination needs a mode that creates records, so where that isn't the default, it is shown first.
        creates = services[self.destination.service].default_mode is Mode.UPSERT
        return f"{reverse('admin:activations_activation_add')}?{chosen}#{'mapping' if creates else 'destination'}"

    @property
    def activation_url(self) -> str:
        if not self.activation:
            return ""
        return reverse("admin:activations_activation_change", args=[self.activation.pk])

    @property
    def next(self) -> Place:
        return following(self.places, self.done)

    def guide(self, current: str) -> dict[str, Any]:
        """Template context of the page of a step."""
        title = next(place.title for place in self.places if place.name == current)
        return {"steps": self.bar(current), "step_title": title}

    def bar(self, current: str = "") -> list[Step]:
        """The bar of steps, for the page of the step `current`."""
        return steps(self.places, self.done, current)


def read(request: HttpRequest) -> Progress:
    """The person's progress, without the secrets of sources and connections."""
    chosen = _chosen(request)
    model = _row(DataModel, chosen.get("model"), "source__secrets")
    source = model.source if model else _row(Source, chosen.get("source"), "secrets")
    destination = _row(Destination, chosen.get("destination"), "connection__secrets")
    service = services.all.get(str(chosen.get("service")))
    if destination and service and destination.service != service.slug:
        destination = None
    progress = Progress(service, source, model, destination)
    if model and destination:
        progress.activation = _activation(model, destination)
    if progress.activation:
        progress.run = Run.objects.filter(activation=progress.activation, dry_run=False).order_by("-pk").first()
    return progress


def choose(request: HttpRequest, **choices: Any) -> None:
    """Keeps choices in the session. A different source drops the rows that were chosen from the previous one."""
    kept = _chosen(request)
    if "source" in choices and choices["source"] != kept.get("source"):
        kept.pop("model", None)
    request.session[KEY] = {**kept, **choices}


def forget(request: HttpRequest) -> None:
    """Starts over. What was connected stays, and is offered again."""
    request.session[KEY] = {}


def _chosen(request: HttpRequest) -> dict[str, Any]:
    """The choices of this session. In a new one, a setup that was left goes on with what it had created."""
    return dict(request.session[KEY]) if KEY in request.session else left()


def left() -> dict[str, Any]:
    """The choices of the setup that was left before its first run; empty if there is none.

    The choice of what to sync is known from the destination on.
    """
    activation = Activation.objects.select_related("destination", "segment__model", "model").order_by("-pk").first()
    if activation and Run.objects.filter(activation=activation, dry_run=False).exists():
        return {}
    if activation:
        model: DataModel | None = activation.data_model
        destination: Destination | None = activation.destination
        source = activation.data_model.source_id
    else:
        source = Source.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        model = DataModel.objects.filter(source=source).order_by("-pk").first()
        destination = Destination.objects.order_by("-pk").first()
    found = {
        "source": source,
        "model": model.pk if model else None,
        "destination": destination.pk if destination else None,
        "service": destination.service if destination else None,
    }
    return {name: value for name, value in found.items() if value}


def _activation(model: DataModel, destination: Destination) -> Activation | None:
    rows = Q(model=model) | Q(segment__model=model)
    return Activation.objects.filter(rows, destination=destination).order_by("-pk").first()


def _row(model: type[Model], pk: Any, *deferred: str) -> Any:
    related = [name.partition("__")[0] for name in deferred if "__" in name]
    rows = model._default_manager.select_related(*related) if related else model._default_manager.all()
    return rows.filter(pk=pk).defer(*deferred).first() if isinstance(pk, int) else None
