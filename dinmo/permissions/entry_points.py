"""PURE. The permissions that each URL requires, as names of rows in the table. A test requests every URL as every role.

Screens and endpoints check permissions themselves. This map names the roles in the message of a refused request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dinmo.permissions.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dinmo.permissions.table import Capability

SIGNED_IN, PUBLIC, TOKEN, NOBODY, ACCOUNT = "signed in", "public", "trigger token", "nobody", "own account"
"""Requirements outside of the table. NOBODY is not available to anyone, and ACCOUNT concerns the user's own account."""


class Entry(NamedTuple):
    """What GET and all other methods require: names in the table, separated by spaces, or one of the above."""

    get: str
    post: str

    def needs(self, method: str) -> list[Capability]:
        """The rows of the table that a method requires."""
        return [TABLE[name] for name in (self.get if method == "GET" else self.post).split() if name in TABLE]


def _same(needed: str, *names: str) -> dict[str, Entry]:
    return {name: Entry(needed, needed) for name in names}


def _screens(
    model: str,
    see: str,
    edit: str = NOBODY,
    *,
    post: str = "",
    pages: Iterable[str] = (),
    buttons: Mapping[str, str] | None = None,
    actions: Mapping[str, str] | None = None,
    deletes_selected: bool = True,
) -> dict[str, Entry]:
    """The pages of a model: the list and its actions, the page of one object and its buttons, and the history.

    Args:
        see: required to open the pages.
        edit: required to add, change and delete.
        post: required for a POST to the page of an object, if it differs from `edit`.
        pages: more pages that require `see`.
        buttons: what each button requires, by its name.
        actions: what each action of the list requires, by its name.
        deletes_selected: whether the list has Django's action for deleting the selected rows.
    """
    page = f"admin:{model}_"
    own = {f"do:{name}": needed for name, needed in (buttons or {}).items()}
    listed = {f"changelist:{name}": needed for name, needed in (actions or {}).items()}
    deletion = {"changelist:delete_selected": edit} if deletes_selected and edit != NOBODY else {}
    return {
        **_same(see, f"{page}changelist", f"{page}history", *(page + name for name in pages)),
        **_same(edit, f"{page}add", f"{page}delete"),
        f"{page}change": Entry(see, post or edit),
        **{page + name: Entry(NOBODY, needed) for name, needed in {**own, **listed, **deletion}.items()},
    }


ADMIN: dict[str, Entry] = {
    **_screens(
        "segments_source", "see_setup", "sources", buttons={"test": "sources"},
    ),
    "admin:segments_source_tables": Entry("see_setup", "sources"),
    **_screens(
        "segments_datamodel", "see_setup", "models", buttons=dict.fromkeys(("check", "refresh", "relate"), "models"),
    ),
    **_screens("segments_computedfield", "see_setup", "models", buttons={"up": "models", "down": "models"}),
    # Redirects to the list of models.
    **_same(SIGNED_IN, "admin:segments_computedfield_changelist"),
    **_screens("segments_segment", "see_setup", "segments", buttons={"duplicate": "segments"}),
    **_screens("destinations_connection", "see_setup", "vendors", buttons={"test": "vendors"}),
    **_screens(
        "destinations_destination", "see_setup", "vendors", pages=["fields"],
        buttons={"refresh": "vendors", "duplicate": "vendors"},
    ),
    **_screens(
        "activations_activation", "see", "activations",
        buttons={
            **dict.fromkeys(("review", "run", "dry_run", "full", "pause", "resume", "check"), "run"),
            "duplicate": "activations",
        },
        actions=dict.fromkeys(("run_selected", "pause_selected", "resume_selected"), "run"),
    ),
    **_same("run", "admin:activations_activation_review", "admin:activations_activation_review_result"),
    "admin:activations_activation_drift": Entry("see", "see run"),
    **_same("tokens", "admin:activations_activation_tokens"),
    **_screens(
        "activations_run", "see", post="see", pages=["progress", "download", "comparison", "attached"],
        buttons={
            **dict.fromkeys(("cancel", "again", "retry"), "run"),
            **dict.fromkeys(("approve", "discard"), "approve"),
        },
    ),
    **_screens("activations_change", "see", post="see"),
    **_same("see", "admin:record_timeline"),
    **_same("see see_setup see_values", "admin:record_timeline_live"),
    **_screens("activations_warning", "see", actions={"acknowledge": "acknowledge"}),
    **_screens("activations_alertchannel", "alerts", "alerts", buttons={"test": "alerts"}),
    **_screens("auth_user", "users", "users", actions={"remove_second_factor": "users"}),
    **_same("users", "admin:auth_user_password_change"),
    **_screens("auth_group", "users", "users"),
    **_screens("django_celery_beat_periodictask", "tasks"),
    **_screens("audit_auditentry", "audit", post="audit", pages=["csv"]),
    **_same(SIGNED_IN, "admin:index", "admin:search", "admin:password_change", "admin:password_change_done",
            "admin:jsi18n", "admin:view_on_site", "admin:app_list", "/admin/(?P<url>.*)$"),
    **_same(NOBODY, "admin:autocomplete"),
    **_same(PUBLIC, "admin:login", "admin:logout"),
}  # fmt: skip
"""The pages of the admin, by URL name. A button is `do:NAME`, an action `changelist:NAME`."""

ACCOUNTS: dict[str, Entry] = {
    **_screens("accounts_invitation", "users", "users", post=NOBODY,
               actions={"send_again": "users", "withdraw": "users"}, deletes_selected=False),
    **_same(ACCOUNT, "/admin/login/", "account_inactive", "account_login", "account_new_password",
            "account_new_password_done", "account_reauthenticate", "account_reset_password",
            "account_reset_password_done", "confirm_email", "invitation", "mfa_activate_totp", "mfa_authenticate",
            "mfa_deactivate_totp", "mfa_download_recovery_codes", "mfa_generate_recovery_codes", "mfa_index",
            "mfa_reauthenticate", "mfa_view_recovery_codes", "own_sessions", "profile", "setup",
            "socialaccount_login_cancelled", "sso_callback", "sso_login"),
}  # fmt: skip
"""Invitations, and the pages for signing in and for the user's own account, which require no role."""

PAGES: dict[str, Entry] = {
    **_same(SIGNED_IN, "/", "docs", "docs-index", "docs-picture", "start-again"),
    **_same(PUBLIC, "/favicon.ico"),
    # Requires permission to see the object. The example is a source.
    **_same("see_setup", "/admin/<slug:app>/<slug:model>/<str:object_id>/history/"),
    **_same("start", "start", "start-source", "start-rows", "start-vendor", "start-demo-load", "start-demo-remove"),
    **_same("alerts", "start-alerts"),
}

API: dict[str, Entry] = {
    **_same(SIGNED_IN, "api:search", "api:schema"),
    **_same("see_setup", "api:source", "api:source-tables", "api:source-columns", "api:model-columns",
            "api:segment-columns", "api:computed-facts", "api:computed-said", "api:model-builder",
            "api:segment-preview", "api:segment-overlap", "api:segment-preview-end", "api:segment-said",
            "api:connection", "api:connection-services", "api:destination"),
    **_same("see_setup see_values", "api:source-sample", "api:source-rows", "api:model-preview", "api:computed-preview",
            "api:model-values", "api:segment-breakdown"),
    "api:file-preview": Entry("see_setup see_values", "see_setup see_values sources"),
    "api:destination-fields": Entry("see_setup", "see_setup vendors"),
    **_same("see", "api:activation", "api:schedule-words", "api:run", "api:run-comparison", "api:editor-test",
            "api:warnings"),
    **_same("see see_setup", "api:editor-mapping", "api:editor-attach"),
    **_same("see see_setup see_values", "api:search-source", "api:editor-match"),
    **_same("run see see_setup see_values", "api:editor-records", "api:editor-request"),
    **_same("run see see_setup", "api:editor-new"),
    **_same("run", "api:activation-runs", "api:run-retry", "api:editor-send"),
    **_same("approve", "api:run-approve", "api:run-discard"),
    **_same("acknowledge", "api:warning-acknowledge"),
    **{f"api:activation-{name}": Entry("see", "see run") for name in ("drift", "pause", "resume", "check")},
    "api:editor-drafts": Entry("see", "see activations"),
    **_same("see", "api:editor-draft"),
    **_same("see see_setup", "api:issues"),
    **_same("audit", "api:audit"),
    **_same(TOKEN, "api:trigger", "api:trigger-run"),
}  # fmt: skip
"""The endpoints. Permissions are checked before an unsupported method is refused with 405."""

ENTRY_POINTS = {**ADMIN, **ACCOUNTS, **PAGES, **API}
