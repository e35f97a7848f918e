"""Admin screens of models, with their columns and relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.urls import reverse
from django.utils import timezone
from unfold.admin import TabularInline

from core.audit import recording
from core.errors import Misconfigured
from core.web.deletion import ExplainedDeletion
from core.web.formsets import BoundedFormSet
from core.web.screens import Button, ScreenAdmin
from segments.integrity import segments
from segments.models import Column, DataModel, Relation
from segments.screens.computed_admin import ComputedTab
from segments.screens.lists.model_list import ModelList
from segments.screens.model_forms import ColumnForm, ModelForm, RelationForm, columns_of_others
from segments.screens.record_values import may_see_values
from segments.sources import discovery, drift, foreign_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest


class ColumnInline(TabularInline):
    """The columns of the source: whether the model uses them, their names, and whether they are categorical."""

    model = Column
    form = ColumnForm
    formset = BoundedFormSet
    template = "screens/columns.html"
    fields = ["used", "name", "categorical", "source_name", "type", "native", "nullable"]
    readonly_fields = ["source_name", "type", "native", "nullable"]
    extra = 0
    can_delete = False
    tab = True
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Column]:
        return super().get_queryset(request).filter(definition={})

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="In the source")
    def source_name(self, obj: Column) -> str:
        return obj.source_name


class RelationInline(TabularInline):
    """The models that rows of this one belong to."""

    model = Relation
    form = RelationForm
    formset = BoundedFormSet
    fk_name = "from_model"
    fields = ["from_column", "to_model", "to_column"]
    extra = 0
    tab = True
    hide_title = True
    verbose_name_plural = "Belongs to"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # The panel above the form shows them too.
        columns = request.columns_of_others = columns_of_others(obj) if obj else {}  # type: ignore[attr-defined]
        kwargs["form"] = type("RelationForm", (RelationForm,), {"parent_model": obj, "columns": columns})
        return super().get_formset(request, obj, **kwargs)


@admin.register(DataModel)
class DataModelAdmin(ExplainedDeletion, ModelList, ScreenAdmin):
    deletion_note = "The table itself is not touched."
    form = ModelForm
    inlines = [ColumnInline, RelationInline]
    stay_after_adding = True
    button_permissions = {"segment": "segments.add_segment"}
    empty_title = "No models yet"
    empty_text = "A model defines what the rows of a table or query are: companies, people, orders. Add a source first."

    class Media:
        js = ["dinmo/model.js"]

    def get_fields(self, request: HttpRequest, obj: DataModel | None = None) -> list[str]:
        # For a new model, it is guessed from the columns that it turns out to have.
        return ["name", "source", "kind", "shape", "table", "sql", "primary_key", *(["display_column"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: DataModel | None = None) -> list[str]:
        return ["source", "primary_key"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: DataModel | None) -> list[Any]:
        return [ColumnInline, RelationInline] if obj else []

    def save_model(self, request: HttpRequest, obj: DataModel, form: Any, change: bool) -> None:
        form.broken_before = segments.broken(obj.source)
        if form.key_warning is not None:
            obj.key_warning = form.key_warning
        super().save_model(request, obj, form, change)
        if form.discovered is not None:
            discovery.store_columns(obj, form.discovered)
        if form.key_warning:
            messages.warning(request, form.key_warning)
        before = form.initial.get("name", "")
        if change and before and before != obj.name:
            segments.rename_model(obj, before)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        segments.check_ticked(form.instance)
        segments.refuse_breaking(form.instance.source, form.broken_before)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, permissions, protected = super().get_deleted_objects(objs, request)
        used = [f"{obj} is used by: {', '.join(names)}" for obj in objs if (names := segments.users_of_model(obj))]
        return to_delete, counts, permissions, [*protected, *used]

    def buttons(self, request: HttpRequest, obj: DataModel) -> Iterable[Button]:
        yield Button("check", "Check now", "fact_check")
        yield Button("relate", "Find relations", "account_tree")
        yield Button("refresh", "Read columns again", "refresh")
        yield Button("segment", "Add a segment", "add", href=f"{reverse('admin:segments_segment_add')}?model={obj.pk}")

    def panel(self, request: HttpRequest, obj: DataModel) -> dict[str, Any]:
        preview = reverse("api:model-preview", args=[obj.pk])
        return {
            "screen_panel": "screens/model.html",
            "preview_url": preview if may_see_values(request.user) else "",
            "columns_of_others": request.columns_of_others,  # type: ignore[attr-defined]
            "datasets": [ComputedTab(request, obj)],
        }

    def do_relate(self, request: HttpRequest, obj: DataModel) -> None:
        relations = foreign_keys.suggested_relations(obj)
        with recording(*relations):
            Relation.objects.bulk_create(relations, ignore_conflicts=True)
        if relations:
            messages.success(request, f"Relations added: {', '.join(map(str, relations))}.")
        else:
            message = "No new relations found in the foreign keys of the source. You can add one under “Belongs to”."
            messages.info(request, message)

    def do_check(self, request: HttpRequest, obj: DataModel) -> None:
        problem = drift.check_model(obj, timezone.now())
        if problem or obj.key_warning:
            messages.warning(request, problem or obj.key_warning)
        else:
            messages.success(request, "The primary key is unique, and all columns in use are present.")

    def do_refresh(self, request: HttpRequest, obj: DataModel) -> None:
        try:
            columns = discovery.refresh_columns(obj, settings.SOURCE_PREVIEW_SECONDS)
        except Misconfigured:
            drift.check_columns(obj)
            raise
        found = f"Found {len(columns)} {'column' if len(columns) == 1 else 'columns'}."
        problem = drift.check_columns(obj)
        if problem:
            messages.warning(request, f"{found} {problem}")
        else:
            messages.success(request, f"{found} All columns in use are present.")
