"""The form field for individual permissions, grouped by object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.template.loader import render_to_string
from django.utils.text import capfirst

from dinmo.permissions.labels import ACTIONS, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import Model
    from django.utils.safestring import SafeString

HIDDEN_APPS = {"auth", "django_celery_beat"}
"""Only administrators of the installation use their screens, and they need no individual permissions."""


class PermissionsWidget(forms.CheckboxSelectMultiple):
    """Checkboxes in one row for each kind of object."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Uses the templates of the project, which renderers of forms don't know."""
        return render_to_string("accounts/permissions.html", self.get_context(name, value, attrs))


class GroupedPermissions(ModelChoiceIterator):
    """Choices grouped by object: `("Sources", [(1, "View"), (2, "Add")])`."""

    def __iter__(self) -> Iterator[Any]:
        groups: dict[str, list[tuple[str, Any]]] = {}
        for permission in self.queryset:
            subject, action = parts(permission)
            groups.setdefault(subject, []).append((action, self.choice(permission)))
        for subject in _in_order(groups):
            yield subject, [choice for _, choice in sorted(groups[subject], key=lambda each: _order(each[0]))]


class PermissionsField(forms.ModelMultipleChoiceField):
    """Permissions as checkboxes. Those of objects without a screen are offered only if they are already granted."""

    iterator = GroupedPermissions

    def __init__(self, **options: Any) -> None:
        options = {name: options[name] for name in ("required", "label", "help_text", "initial") if name in options}
        super().__init__(queryset=Permission.objects.none(), widget=PermissionsWidget, **options)

    def label_from_instance(self, obj: Permission) -> str:
        subject, action = parts(obj)
        return capfirst(action or subject)


def offered(kept: QuerySet[Permission]) -> QuerySet[Permission]:
    """The permissions of objects that have screens, and those in `kept`."""
    screens = Q(content_type__app_label="activations", codename="change_triggertoken")
    for model in _with_screens():
        screens |= Q(content_type__app_label=model._meta.app_label, content_type__model=model._meta.model_name)
    return Permission.objects.filter(screens | Q(pk__in=kept)).select_related("content_type").order_by("pk")


def _with_screens() -> list[type[Model]]:
    return [model for model in admin.site._registry if model._meta.app_label not in HIDDEN_APPS]


def _in_order(subjects: Iterable[str]) -> list[str]:
    """Kinds of objects in the order of the screens. Others come last."""
    places = {str(capfirst(model._meta.verbose_name_plural)): place for place, model in enumerate(_with_screens())}
    return sorted(subjects, key=lambda subject: places.get(subject, len(places)))


def _order(action: str) -> int:
    return ACTIONS.index(action) if action in ACTIONS else len(ACTIONS)
