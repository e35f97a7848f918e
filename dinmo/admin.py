"""Admin screens for operators: users, groups and periodic tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from activations.models import Schedule
from core.web.formats import moment
from core.web.lists import BoundedList
from core.web.screens import pill
from dinmo.accounts.forms import ACCESS, GroupForm, NewUserForm, UserForm
from dinmo.audit.screens.admin import AuditEntryAdmin as AuditEntryAdmin
from dinmo.audit.screens.recorded import RecordedForm
from dinmo.permissions.roles import is_built_in
from dinmo.permissions.table import TABLE

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

TASKS = {
    "sweep": "Continue runs that were interrupted",
    "send_alerts": "Send alerts",
    "look_at_models": "Look for changes in the sources of models",
    "count_segments": "Count the rows of segments",
    "prune": "Delete what is older than it is kept",
    "prune_audit_log": "Delete old entries of the audit log",
    "check-sources": "Test sources",
}
"""What the periodic tasks in the settings do, by their names there."""
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

for model in (User, Group, PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(RecordedForm, BoundedList, DjangoUserAdmin, ModelAdmin):
    form = UserForm
    add_form = NewUserForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "full_name", "email", "access", "last_login"]
    list_filter = ["is_active", "is_superuser", "groups"]
    list_filter_sheet = False
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["username", "password_state"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Individual permissions", {"fields": ["user_permissions"], "classes": ["collapse"]}),
        ("Activity", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "usable_password", "password1", "password2"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_staff", "is_superuser"]}),
    ]
    readonly_fields = ["password_state", "last_login", "date_joined"]
    actions = ["remove_second_factor"]

    @admin.action(description="Remove the second factor", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For people who have lost their phone and their recovery codes."""
        count = users.filter(authenticator__isnull=False).distinct().count()
        Authenticator.objects.filter(user__in=users).delete()
        messages.success(request, f"Removed the second factor of {count:,} account{'' if count == 1 else 's'}.")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only administrators of the installation make others one."""
        return [*self.readonly_fields, *([] if request.user.is_superuser else ["is_superuser"])]  # type: ignore[union-attr, unused-ignore]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_manage(request, obj)

    @admin.display(description="Password")
    def password_state(self, obj: User) -> SafeString:
        words = ("Set.", "Change it") if obj.has_usable_password() else ("Not set.", "Set one")
        link = reverse("admin:auth_user_password_change", args=[obj.pk])
        return format_html('{} <a class="d-link d-underlined" href="{}">{}</a>', words[0], link, words[1])

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, obj: User) -> str:
        return obj.get_full_name() or "\N{EN DASH}"

    @admin.display(description="Access")
    def access(self, obj: User) -> SafeString:
        if not obj.is_active:
            return pill("Blocked", "bad")
        if not obj.is_staff:
            return pill("No access", "warn")
        return pill("Administrator", "busy") if obj.is_superuser else pill(ACCESS, "good")


@admin.register(Group)
class GroupAdmin(RecordedForm, BoundedList, DjangoGroupAdmin, ModelAdmin):
    """Custom groups. Those of the built-in roles are read-only, and show what the role can do."""

    form = GroupForm
    filter_horizontal = ()
    readonly_fields = ["capabilities"]

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> list[Any]:
        return ["name", "capabilities" if is_built_in(obj) else "permissions"]

    @admin.display(description="Can")
    def capabilities(self, obj: Group) -> SafeString:
        sentences = ((each.sentence,) for each in TABLE.values() if obj.name in each.roles)
        return format_html('<ul class="d-bullets">{}</ul>', format_html_join("", "<li>{}</li>", sentences))

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not is_built_in(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not is_built_in(obj)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(BoundedList, BeatTaskAdmin, ModelAdmin):
    """Read-only: periodic tasks are created from schedules and from the settings."""

    list_display = ["purpose", "rhythm", "on", "last_started", "starts"]
    list_display_links = None
    list_filter = ["enabled"]
    search_fields = ["name"]
    actions = None
    # The page of django-celery-beat has inline script, which only its form needs.
    change_form_template = None
    fieldsets = None
    fields = ["purpose", "name", "rhythm", "on", "last_started", "starts"]
    readonly_fields = fields
    list_select_related = ["interval", "crontab", "solar", "clocked"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        schedules = Schedule.objects.filter(task=OuterRef("pk")).values("activation__name")[:1]
        tasks: QuerySet[PeriodicTask] = super().get_queryset(request)
        return tasks.annotate(activation=Subquery(schedules))

    @admin.display(description="Task", ordering="name")
    def purpose(self, obj: Any) -> str:
        return f"Schedule of “{obj.activation}”" if obj.activation else TASKS.get(obj.name, obj.name)

    @admin.display(description="When")
    def rhythm(self, obj: PeriodicTask) -> str:
        if obj.interval:
            return every(int(obj.interval.schedule.run_every.total_seconds()))
        return obj.crontab.human_readable if obj.crontab else str(obj.solar or obj.clocked or "Never")

    @admin.display(description="On", boolean=True, ordering="enabled")
    def on(self, obj: PeriodicTask) -> bool:
        return bool(obj.enabled)

    @admin.display(description="Times started", ordering="total_run_count")
    def starts(self, obj: PeriodicTask) -> str:
        return f"{obj.total_run_count:,}"

    @admin.display(description="Last started", ordering="last_run_at")
    def last_started(self, obj: PeriodicTask) -> SafeString | str:
        return moment(obj.last_run_at)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PeriodicTask | None = None) -> bool:
        return False


def may_manage(request: HttpRequest, user: User | None) -> bool:
    """Whether a person may change or delete an account: those of administrators are for administrators."""
    return user is None or not user.is_superuser or bool(getattr(request.user, "is_superuser", False))


def every(seconds: int) -> str:
    """PURE. An interval in words, such as “Every 15 minutes”."""
    count, unit = next((seconds // length, unit) for length, unit in UNITS if seconds % length == 0)
    return f"Every {unit}" if count == 1 else f"Every {count:,} {unit}s"
