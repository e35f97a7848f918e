"""Admin screens of computed fields: the tab on the page of a model, and the page of one field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import Misconfigured
from core.text.characters import is_one_line
from core.text.names import MESSAGE
from core.web.endpoints import number
from core.web.forms.json_field import EditorField
from core.web.screens import Button, ScreenAdmin
from segments.conditions.scope_from_db import model_scope
from segments.integrity import computed_fields, segments
from segments.models import ComputedField, DataModel
from segments.screens.builder import builder_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.utils.safestring import SafeString

TAB = "computed"
MOVES = (("up", "arrow_upward", -1), ("down", "arrow_downward", 1))


class ComputedTab:
    """The tab “Computed fields” on the page of a model, with the attributes that Unfold expects of a dataset."""

    tab = True
    title = "Computed fields"
    model_name = TAB

    def __init__(self, request: HttpRequest, model: DataModel) -> None:
        self.request = request
        self.model = model

    @property
    def contents(self) -> SafeString:
        computed = self.model.computed_fields()
        # Without computed fields, the other models of the source need not be read.
        descriptions = computed_fields.in_words(self.model, model_scope(self.model)) if computed else {}
        rows = [
            {
                "name": field.name,
                "words": descriptions[field.name],
                "type": field.type,
                "url": reverse("admin:segments_computedfield_change", args=[field.pk]),
                "moves": [_move(field.pk, way, icon, 0 <= index + step < len(computed)) for way, icon, step in MOVES],
            }
            for index, field in enumerate(computed)
        ]
        add = f"{reverse('admin:segments_computedfield_add')}?model={self.model.pk}"
        context = {"tab": TAB, "fields": rows, "add_url": add, "may_change": may_change(self.request)}
        return render_to_string("screens/computed_fields.html", context, self.request)


class ComputedWidget(forms.Widget):
    """A hidden field with the definition as JSON. static/dinmo/builder/computed.js draws the editor."""

    class Media:
        js = [
            f"dinmo/builder/{name}.js" for name in ("tree", "values", "rows", "answer", "draft", "editor", "computed")
        ]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        definition = (json.loads(value) if isinstance(value, str) and value else value) or {}
        context = {"name": name, "value": json.dumps(definition), "offered": builder_options(), **self.attrs}
        return render_to_string("screens/computed.html", context)


class ComputedForm(forms.ModelForm):
    """The name and the definition of a computed field."""

    parent_model: DataModel
    definition = EditorField(label="Definition", widget=ComputedWidget())

    class Meta:
        model = ComputedField
        fields = ["name", "definition"]
        widgets = {"name": UnfoldAdminTextInputWidget()}
        help_texts = {"name": "The column name to use in conditions and mappings, such as “big orders”."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = self.instance.name
        if self.instance.pk is None:
            self.instance.model = self.parent_model
        if "definition" in self.fields:
            attrs = {"model": self.parent_model.pk, "field": self.before, "pk": self.instance.pk or ""}
            self.fields["definition"].widget.attrs = attrs

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "name" in cleaned and not is_one_line(cleaned["name"]):
            self.add_error("name", MESSAGE)
        if self.errors:
            return cleaned
        field = self.instance
        field.name, field.definition = cleaned["name"], cleaned["definition"]
        try:
            computed_fields.prepare(field, self.before)
        except Misconfigured as problem:
            self.add_error("name" if problem.where == "name" else "definition", problem.message)
        cleaned["definition"] = field.definition
        return cleaned


@admin.register(ComputedField)
class ComputedFieldAdmin(ScreenAdmin):
    form = ComputedForm
    fields = ["name", "definition"]
    button_permissions = {"model": "segments.view_datamodel"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[ComputedField]:
        return super().get_queryset(request).exclude(definition={}).select_related("model__source")

    def get_form(
        self, request: HttpRequest, obj: ComputedField | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        model = obj.model if obj else get_object_or_404(DataModel, pk=number(request.GET.get("model")))
        kwargs["form"] = type("ComputedForm", (ComputedForm,), {"parent_model": model})
        return super().get_form(request, obj, change, **kwargs)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        model = DataModel.objects.filter(pk=number(request.GET.get("model", ""))).first()
        if model is None:
            return HttpResponseRedirect(reverse("admin:segments_datamodel_changelist"))
        return super().add_view(
            request, form_url, {**(extra_context or {}), "title": f"Add a computed field to {model}"}
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:segments_datamodel_changelist"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("segments.view_datamodel"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # The add page needs the model in its query string, and “Save and add another” would drop it.
        return super().render_change_form(request, {**context, "show_save_and_add_another": False}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: ComputedField, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        computed_fields.follow(obj, form.before)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        to_delete, counts, permissions, protected = super().get_deleted_objects(objs, request)
        used = [
            f"{obj} is used by: {', '.join(names)}"
            for obj in objs
            if (names := segments.users_of_column(obj.model, obj.name))
        ]
        return to_delete, counts, permissions, [*protected, *used]

    def buttons(self, request: HttpRequest, obj: ComputedField) -> Iterable[Button]:
        yield Button("model", f"Back to {obj.model}", "arrow_back", href=tab_url(obj.model))
        yield Button("up", "Move up", "arrow_upward")
        yield Button("down", "Move down", "arrow_downward")

    def do_up(self, request: HttpRequest, obj: ComputedField) -> HttpResponse:
        return self._move_by(obj, -1)

    def do_down(self, request: HttpRequest, obj: ComputedField) -> HttpResponse:
        return self._move_by(obj, 1)

    def _move_by(self, obj: ComputedField, step: int) -> HttpResponse:
        computed_fields.move(obj, step)
        return HttpResponseRedirect(tab_url(obj.model))

    def delete_model(self, request: Any, obj: ComputedField) -> None:
        request.return_url = tab_url(obj.model)
        super().delete_model(request, obj)

    def response_post_save_add(self, request: HttpRequest, obj: ComputedField) -> HttpResponseRedirect:
        return HttpResponseRedirect(tab_url(obj.model))

    response_post_save_change = response_post_save_add

    def response_delete(self, request: Any, obj_display: str, obj_id: int) -> HttpResponse:
        super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(request.return_url)


def may_change(request: HttpRequest) -> bool:
    """Whether the user can change computed fields: the permission to change models covers them."""
    return bool(request.user.has_perm("segments.change_datamodel"))


def tab_url(model: DataModel) -> str:
    """Returns the URL of the tab “Computed fields” on the page of a model."""
    return f"{reverse('admin:segments_datamodel_change', args=[model.pk])}#dataset-{TAB}"


def _move(pk: int, way: str, icon: str, enabled: bool) -> dict[str, Any]:
    return {"way": way, "icon": icon, "can": enabled, "url": reverse("admin:segments_computedfield_do", args=[pk, way])}
