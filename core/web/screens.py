"""What every admin screen shares: buttons that act on one object, a first choice before a form, and plain words."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.forms import AdminForm, Fieldline

from core.errors import Misconfigured, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model
    from django.utils.safestring import SafeString


@dataclass(frozen=True)
class Button:
    """Something that can be done with the object on the page.

    Args:
        name: calls `do_<name>(request, obj)` of the admin, by POST.
        icon: a name of Material Symbols.
        confirm: asked before it is done.
        href: a link instead of an action.
    """

    name: str
    label: str
    icon: str = ""
    primary: bool = False
    danger: bool = False
    confirm: str = ""
    href: str = ""


@dataclass(frozen=True)
class Choice:
    """One answer to the question that comes before a form."""

    slug: str
    label: str
    note: str = ""


def pill(text: str, tone: str) -> SafeString:
    """A coloured word; tone is good, bad, warn, busy or calm."""
    return format_html('<span class="d-pill d-{}">{}</span>', tone, text)


def readable_secrets(request: HttpRequest, obj: Any) -> dict[str, Any]:
    """The stored secrets of `obj` (None for a new one); where they can't be decrypted, a message, so that they can be entered again."""
    try:
        return dict(obj.secrets) if obj else {}
    except Misconfigured as problem:
        messages.error(request, problem.message)
        obj.secrets = {}
        return {}


HEALTH_TONES = {"ok": "good", "failed": "bad", "unknown": "calm"}


class ScreenAdmin(ModelAdmin):
    """A model's screens in the shell: buttons, readable empty state, Problems shown as messages."""

    change_form_outer_before_template = "screens/above_form.html"
    list_filter_sheet = False
    warn_unsaved_form = False
    list_per_page = 50
    empty_title: ClassVar[str] = "Nothing here yet"
    empty_text: ClassVar[str] = ""
    stay_after_adding: ClassVar[bool] = False
    """A new object opens at once, to go on with it (test, preview, run)."""

    def buttons(self, request: HttpRequest, obj: Any) -> Iterable[Button]:
        """What can be done with `obj` by a user who may change it."""
        return ()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """More context for the template above the form."""
        return {}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.press)
        return [path("<path:object_id>/do/<slug:name>/", view, name=self.url_name("do")), *super().get_urls()]

    def url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.url_name(page)}", args=args)

    def press(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Does what a button says, and comes back with a message."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.may_press(request, obj):
            raise PermissionDenied
        if name not in {button.name for button in self.buttons(request, obj) if not button.href}:
            messages.warning(request, "That can't be done any more. The page shows how things stand now.")
            return HttpResponseRedirect(self.url("change", obj.pk))
        return self.attempt(request, obj, name)

    def may_press(self, request: HttpRequest, obj: Any) -> bool:
        return self.has_change_permission(request, obj)

    def attempt(self, request: HttpRequest, obj: Any, name: str) -> HttpResponse:
        """Calls the button's method; a Problem becomes a message."""
        try:
            answer = getattr(self, f"do_{name}")(request, obj)
        except Problem as problem:
            messages.error(request, problem.message)
            answer = None
        return answer or HttpResponseRedirect(self.url("change", obj.pk))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """As the shell's, but a form is checked before its transaction begins: sources and vendors are asked, and SQLite has one writer."""
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        helpers.AdminForm, helpers.Fieldline = AdminForm, Fieldline  # type: ignore[misc, unused-ignore]
        shell = {"actions_submit_line": [], "actions_detail": [], "actions_detail_hide_default": False}
        with ExitStack() as saving:
            request.saving = saving  # type: ignore[attr-defined]
            return self._changeform_view(request, object_id, form_url, {**shell, **(extra_context or {})})

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Begins the transaction that ends with the answer."""
        if saving := getattr(request, "saving", None):
            saving.enter_context(transaction.atomic())
        super().save_model(request, obj, form, change)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            buttons = list(self.buttons(request, obj)) if self.may_press(request, obj) else []
            context.update(
                {"screen_buttons": [self._shown(button, obj) for button in buttons], **self.panel(request, obj)}
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def _shown(self, button: Button, obj: Any) -> dict[str, Any]:
        return {"button": button, "url": button.href or self.url("do", obj.pk, button.name)}

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        if self.stay_after_adding and "_save" in request.POST and "_popup" not in request.POST:
            return HttpResponseRedirect(self.url("change", obj.pk))
        return answer

    def choose(self, request: HttpRequest, question: str, parameter: str, choices: Sequence[Choice]) -> HttpResponse:
        """A page that asks one question before the add form, answered in the query string."""
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
