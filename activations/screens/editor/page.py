"""The page of an activation: a summary of what it does, or the editor with its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import SimpleLazyObject

from activations.models import Activation, Draft
from activations.screens.alerts import limit_fields
from activations.screens.attached.fields import BY
from activations.screens.editor import comparing, drafts, words
from activations.screens.review.page import RUN, ReviewPage, dry_run_address
from activations.setup import writers_from_db
from destinations.models import Destination
from destinations.registry import services
from segments.models import DataModel, Segment

if TYPE_CHECKING:
    from destinations.contract import Service

STEPS = (
    ("data", "Data"),
    ("destination", "Destination"),
    ("mapping", "Mapping"),
    ("schedule", "Schedule"),
    ("alerts", "Alerts"),
)
EDIT = "step"
"""The query parameter that opens the editor of a saved activation, with the step to open."""
FIELD = "field"
"""The query parameter that opens the editor at the row of an attribute."""


class EditorPage(ReviewPage):
    """The steps of the editor around the form of an activation, and the drafts of its fields."""

    change_form_template = "screens/activation_editor.html"
    list_before_template = "screens/activation_drafts.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        can_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        editing = can_edit and (obj is None or request.method == "POST" or {EDIT, FIELD} & set(request.GET))
        context["editing"] = editing
        if editing:
            draft = drafts.opened(request, obj) if request.method == "GET" else None
            context.update(self._editor(request, context, obj, draft))
        return super().render_change_form(request, context, *args, **kwargs)

    def shows_panel(self, context: dict[str, Any]) -> bool:
        return not context["editing"]

    def _editor(
        self, request: HttpRequest, context: dict[str, Any], obj: Activation | None, draft: Draft | None
    ) -> dict[str, Any]:
        form, formsets = context["adminform"].form, [each.formset for each in context["inline_admin_formsets"]]
        if draft:
            form, formsets = self._filled_in(request, obj, drafts.fields_of(draft))
        if obj:
            mark_shared(obj, formsets[0])
        return {
            **logos(),
            "form": form,
            "mappings": formsets[0],
            "schedules": formsets[1],
            "show_errors": request.method == "POST",
            "steps": STEPS,
            "limits": limit_fields.groups(form),
            "attach_by": [form[name] for name in form.fields if name.startswith(BY)],
            "first_step": request.GET.get(EDIT, "mapping" if FIELD in request.GET else ""),
            "draft": draft,
            "draft_id": draft.pk if draft else request.POST.get("draft", ""),
            "destinations_json": {
                str(each.pk): service_facts(services[each.service])
                for each in Destination.objects.all()
                if each.service in services.all
            },
        }

    def _filled_in(self, request: HttpRequest, obj: Activation | None, data: Any) -> tuple[Any, list[Any]]:
        """The form and its rows with the values of a draft. They are not validated."""
        form = self.get_form(request, obj, change=obj is not None)(data, instance=obj)
        instance = obj or Activation()
        formsets = [
            formset(
                data=data, instance=instance, prefix=formset.get_default_prefix(), queryset=inline.get_queryset(request)
            )
            for formset, inline in self.get_formsets_with_inlines(request, obj)
        ]
        return form, formsets

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_draft = True
        super().save_model(request, obj, form, change)
        drafts.delete_saved(request, obj if change else None)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._review(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        response = self._review(request, obj) or super().response_change(request, obj)
        if "_save" in request.POST:
            return HttpResponseRedirect(self.url("change", obj.pk))
        return response

    def _review(self, request: HttpRequest, obj: Activation) -> HttpResponse | None:
        if "_review" not in request.POST or not request.user.has_perm(RUN):
            return None
        return HttpResponseRedirect(dry_run_address(obj))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Read while the page is rendered, once the list has accepted the request.
        own = SimpleLazyObject(lambda: drafts.listed(request))
        return super().changelist_view(request, {**(extra_context or {}), "drafts": own})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The data and the destination that a link proposes, e.g. `?records=model:1&destination=2`."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {**only_data(), **initial, "backfill": Activation.Backfill.ALL}


def mark_shared(activation: Activation, mappings: Any) -> None:
    """Notes at each row which other activations write its saved attribute. The page keeps that up to date."""
    mine = writers_from_db.writer(activation)
    found = writers_from_db.shared_by_attribute(activation.destination, mine)
    for row in mappings.forms:
        row.shared = found.get(row.initial.get("target", ""), ())


def only_data() -> dict[str, str]:
    """The only model, if there is nothing else to choose from."""
    models = list(DataModel.objects.values_list("pk", flat=True)[:2])
    return {"records": f"model:{models[0]}"} if len(models) == 1 and not Segment.objects.exists() else {}


def service_facts(service: Service) -> dict[str, Any]:
    """What the page needs to know about the service of a destination, without a request to the vendor."""
    return {
        "label": service.label,
        "platform": service.platform.label,
        "slug": service.platform.slug,
        "records": service.record_nouns[1],
        "accepts": list(service.accepts),
        "modes": words.modes_of(service),
        "default_mode": str(service.default_mode),
        "default_match": service.default_match,
        "match_advice": service.match_advice,
        "comparing": comparing.meanings(service),
        "creates_fields": service.creates_fields,
        "reveals": reveal_facts(service),
        "notes": list(service.notes),
    }


def logos() -> dict[str, Any]:
    """The slugs whose logos the page needs, and which of them belongs to each choice."""
    models = dict(DataModel.objects.values_list("pk", "source__engine"))
    segments = Segment.objects.values_list("pk", "model_id")
    records = {f"model:{pk}": slug for pk, slug in models.items()}
    records |= {f"segment:{pk}": models[model] for pk, model in segments}
    destinations = {str(pk): slug for pk, slug in Destination.objects.values_list("pk", "service")}
    return {
        "logos_json": {"records": records, "destination": destinations},
        "source_logos": sorted(set(records.values())),
        "destination_logos": sorted(set(destinations.values())),
    }


def reveal_facts(service: Service) -> dict[str, Any] | None:
    """What the section of people that are attached needs to know; None if the service hides no records."""
    if service.reveals is None:
        return None
    return {
        "many": service.reveals.nouns[1],
        "found_by": [field.name for field in service.reveals.found_by],
        "note": service.hidden_note,
    }
