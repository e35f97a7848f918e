"""The base of every admin screen: buttons that act on one object, a choice before the add form, and clear messages."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.forms import AdminForm, Fieldline

from core.audit import recording
from core.errors import Misconfigured, Problem
from core.web.lists import BoundedList

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import Model
    from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Button:
    """An action on the object that the page shows.

    Args:
        name: a POST calls `do_<name>(request, obj)` of the admin.
        icon: the name of a Material Symbols icon.
        confirm: a question that the user must confirm before the action runs.
        href: makes the button a link instead of an action.
        option: the label of a checkbox next to the button, which is checked at first. If it still is, the POST has the
            parameter `option`.
    """

    name: str
    label: str
    icon: str = ""
    primary: bool = False
    danger: bool = False
    confirm: str = ""
    href: str = ""
    option: str = ""


@dataclass(frozen=True)
class Choice:
    """One option of the choice that precedes a form."""

    slug: str
    label: str
    note: str = ""


def pill(text: str, tone: str) -> SafeString:
    """A colored label. The tone is good, bad, warn, busy or calm."""
    return format_html('<span class="d-pill d-{}">{}</span>', tone, text)


def readable_secrets(request: HttpRequest, obj: Any) -> dict[str, Any]:
    """The stored secrets of `obj`, which is None for a new object.

    If they can't be decrypted, shows a message and clears them on `obj`, so that the form opens and they can be entered
    again.
    """
    try:
        return dict(obj.secrets) if obj else {}
    except Misconfigured as problem:
        messages.error(request, problem.message)
        obj.secrets = {}
        return {}


HEALTH_TONES = {"ok": "good", "failed": "bad", "unknown": "calm"}


def only_choices(model: type[Model]) -> dict[str, Any]:
    """The only row that each required reference of a new object can point to, by the name of its field."""
    found = {}
    for field in model._meta.fields:
        if isinstance(field, ForeignKey) and field.editable and not field.blank:
            rows = list(field.remote_field.model._default_manager.values_list("pk", flat=True)[:2])
            found.update({field.name: rows[0]} if len(rows) == 1 else {})
    return found


class ScreenAdmin(BoundedList, ModelAdmin):
    """A model's screens in the admin: buttons, an empty state that explains itself, and Problems shown as messages."""

    change_form_outer_before_template = "screens/above_form.html"
    list_filter_sheet = False
    warn_unsaved_form = False
    empty_title: ClassVar[str] = "Nothing here yet"
    empty_text: ClassVar[str] = ""
    stay_after_adding: ClassVar[bool] = False
    """Whether a new object's page opens after it is added, for the next step (test, preview, run)."""

    button_permissions: ClassVar[Mapping[str, str]] = {}
    """Django's permissions for the buttons that need a different one than to change the object, by their names."""

    def buttons(self, request: HttpRequest, obj: Any) -> Iterable[Button]:
        """The actions on `obj`. Those that a person may not press are left out of the page."""
        return ()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Additional context for the template above the form."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.press)
        return [path("<path:object_id>/do/<slug:name>/", view, name=self.url_name("do")), *super().get_urls()]

    def url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.url_name(page)}", args=args)

    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Runs the action of a button and returns to the page with a message."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.may_press(request, obj, name):
            raise PermissionDenied
        if name not in {button.name for button in self.buttons(request, obj) if not button.href}:
            messages.warning(request, "This action is no longer available. The page now shows the current state.")
            return HttpResponseRedirect(self.url("change", obj.pk))
        return self.attempt(request, obj, name)

    def may_press(self, request: HttpRequest, obj: Any, name: str) -> bool:
        """Whether a person may press the button with this name, or follow its link."""
        permission = self.button_permissions.get(name)
        return bool(request.user.has_perm(permission) if permission else self.has_change_permission(request, obj))

    def pressable(self, request: HttpRequest, obj: Any) -> list[Button]:
        """The buttons that a person may press."""
        return [button for button in self.buttons(request, obj) if self.may_press(request, obj, button.name)]

    def attempt(self, request: HttpRequest, obj: Any, name: str) -> HttpResponse:
        """Calls the button's method. A Problem becomes a message."""
        try:
            response = getattr(self, f"do_{name}")(request, obj)
        except Problem as problem:
            messages.error(request, problem.message)
            response = None
        return response or HttpResponseRedirect(self.url("change", obj.pk))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Like Unfold's view, but validates a form before its transaction begins.

        Validation may query a source or call a vendor, and on SQLite, an open transaction would block all other writers
        for that time.
        """
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        helpers.AdminForm, helpers.Fieldline = AdminForm, Fieldline  # type: ignore[misc, unused-ignore]
        defaults = {"actions_submit_line": [], "actions_detail": [], "actions_detail_hide_default": False}
        with ExitStack() as saving:
            request.saving = saving  # type: ignore[attr-defined]
            return self._changeform_view(request, object_id, form_url, {**defaults, **(extra_context or {})})  # type: ignore[no-any-return]

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Begins the transaction, which ends when the response is ready."""
        if saving := getattr(request, "saving", None):
            saving.enter_context(transaction.atomic())
            saving.enter_context(recording())
        super().save_model(request, obj, form, change)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None and request.method == "POST":
            # The form's object has values that were refused. Buttons and panels are about what is stored.
            obj = self.get_object(request, str(obj.pk))
        if obj is not None and self.shows_panel(context):
            context.update(
                {
                    "screen_buttons": [self._button_context(each, obj) for each in self.pressable(request, obj)],
                    **self.panel(request, obj),
                }
            )
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[no-any-return]

    def shows_panel(self, context: dict[str, Any]) -> bool:
        """Whether the page of an object has its buttons and its panel, which cost queries."""
        return True

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the query string proposes, and the only choice of each required select."""
        return {**only_choices(self.model), **super().get_changeform_initial_data(request)}

    def _button_context(self, button: Button, obj: Any) -> dict[str, Any]:
        return {"button": button, "url": button.href or self.url("do", obj.pk, button.name)}

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        if self.stay_after_adding and "_save" in request.POST and "_popup" not in request.POST:
            return HttpResponseRedirect(self.url("change", obj.pk))
        return response  # type: ignore[no-any-return]

    def choose(self, request: HttpRequest, question: str, parameter: str, choices: Sequence[Choice]) -> HttpResponse:
        """A page that asks one question before the add form. The answer goes into the query string."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Add {self.opts.verbose_name}",
            "question": question,
            "parameter": parameter,
            "choices": choices,
        }
        return TemplateResponse(request, "screens/choose.html", context)
