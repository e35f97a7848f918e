"""The single rights that a person or a group can have, by the words that the screens use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.text import capfirst

if TYPE_CHECKING:
    from django.db.models import Model

VERBS = {"view": "see", "add": "add", "change": "change", "delete": "delete"}
HIDDEN_APPS = {"auth", "django_celery_beat"}
"""Only administrators use these, and they need no single rights."""


class RightsField(forms.ModelMultipleChoiceField):
    """Tick boxes: “Sources: see”. Rights that no screen is about are offered only to those who have them already."""

    def __init__(self, **options: Any) -> None:
        options = {name: options[name] for name in ("required", "label", "help_text", "initial") if name in options}
        super().__init__(queryset=Permission.objects.none(), widget=forms.CheckboxSelectMultiple, **options)

    def label_from_instance(self, obj: Permission) -> str:
        first, _, about = obj.codename.partition("_")
        verb, model = VERBS.get(first), obj.content_type.model_class()
        if verb is None or model is None or about != model._meta.model_name:
            return obj.name
        return f"{capfirst(model._meta.verbose_name_plural)}: {verb}"


def offered(kept: QuerySet[Permission]) -> QuerySet[Permission]:
    """The rights about things that have screens, and those in `kept`, in the order of the screens."""
    models = [model for model in admin.site._registry if model._meta.app_label not in HIDDEN_APPS]
    screens = Q(content_type__app_label="activations", codename="change_triggertoken")
    for model in models:
        screens |= Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
    rows = Permission.objects.filter(screens | Q(pk__in=kept)).select_related("content_type")
    return rows.order_by(_position(models), "content_type", _verb_position())


def _position(models: list[type[Model]]) -> Case:
    cases = [
        When(
            content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name, then=Value(place)
        )
        for place, model in enumerate(models)
    ]
    return Case(*cases, default=Value(len(models)), output_field=IntegerField())


def _verb_position() -> Case:
    cases = [When(codename__startswith=f"{verb}_", then=Value(place)) for place, verb in enumerate(VERBS)]
    return Case(*cases, default=Value(len(VERBS)), output_field=IntegerField())
