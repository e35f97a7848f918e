"""PURE. The table of permissions: what users can do, the Django permissions required, and the roles that have them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The built-in roles. Each one includes all previous ones. The value is the name of its group."""

    VIEWER = "Viewer"
    OPERATOR = "Operator"
    EDITOR = "Editor"
    ADMIN = "Admin"

    @property
    def words(self) -> str:
        """What users with this role can do, in one sentence."""
        return _WORDS[self]


_WORDS = {
    Role.VIEWER: "Can view everything except record values, and can't change anything.",
    Role.OPERATOR: "A viewer who can also view record values, run and pause activations, and approve runs.",
    Role.EDITOR: "An operator who can also set up models, segments and activations.",
    Role.ADMIN: "An editor who can also connect sources and destinations, and manage alerts and users.",
}


@dataclass(frozen=True)
class Capability:
    """A permission in plain words.

    Args:
        sentence: completes “Can …”.
        permissions: the Django permissions, all of which are required.
        role: the lowest role that has it; None if no role does.
    """

    sentence: str
    permissions: tuple[str, ...]
    role: Role | None

    @property
    def roles(self) -> list[Role]:
        """All roles that have it."""
        return [] if self.role is None else list(Role)[list(Role).index(self.role) :]


def _all(app: str, *models: str, verbs: tuple[str, ...] = ("add", "change", "delete")) -> tuple[str, ...]:
    return tuple(f"{app}.{verb}_{model}" for model in models for verb in verbs)


_SOURCES = _all("segments", "source")
_MODELS = _all("segments", "datamodel", "column", "relation", "computedfield")
_ACTIVATIONS = _all("activations", "activation", "fieldmapping", "schedule")
_VENDORS = _all("destinations", "connection", "destination")

COMMANDS = "Run `manage.py` commands, such as `apply` and `export` of the workspace file"
"""No role has it: commands require shell access to the machine instead of an account."""

TABLE: dict[str, Capability] = {
    "see": Capability(
        "View activations, their runs and records, warnings and the overview",
        _all("activations", "activation", "fieldmapping", "schedule", "run", "change", "warning", verbs=("view",)),
        Role.VIEWER,
    ),
    "see_setup": Capability(
        "View sources, models, segments, connections and destinations, without their secrets",
        (
            *_all("segments", "source", "datamodel", "column", "relation", "computedfield", "segment", verbs=("view",)),
            *_all("destinations", "connection", "destination", verbs=("view",)),
        ),
        Role.VIEWER,
    ),
    "see_values": Capability("View record values and search by them", ("segments.view_values",), Role.OPERATOR),
    "run": Capability(
        "Start, cancel and retry runs, start dry runs, test a single record, check for drift and resolve it, pause and "
        "resume activations",
        ("activations.run_activation",),
        Role.OPERATOR,
    ),
    "approve": Capability(
        "Approve and discard runs that are waiting for approval", ("activations.approve_run",), Role.OPERATOR
    ),
    "acknowledge": Capability("Acknowledge warnings", ("activations.change_warning",), Role.OPERATOR),
    "models": Capability("Add, change and delete models, their relations and computed fields", _MODELS, Role.EDITOR),
    "segments": Capability("Add, change and delete segments", _all("segments", "segment"), Role.EDITOR),
    "activations": Capability(
        "Add, change and delete activations, with their mappings, schedules, guards, warnings, attached contacts and "
        "email recipients",
        _ACTIVATIONS,
        Role.EDITOR,
    ),
    "sources": Capability("Add, test, change and delete sources", _SOURCES, Role.ADMIN),
    "vendors": Capability("Add, test, change and delete connections and destinations", _VENDORS, Role.ADMIN),
    "start": Capability(
        "Set up everything step by step in Get started, and load or remove the demo",
        (*_SOURCES, *_MODELS, *_all("segments", "segment"), *_VENDORS, *_ACTIVATIONS),
        Role.ADMIN,
    ),
    "alerts": Capability(
        "See, add, change and delete alert channels, and choose alert recipients",
        _all("activations", "alertchannel", verbs=("view", "add", "change", "delete")),
        Role.ADMIN,
    ),
    "tokens": Capability(
        "Create and revoke trigger tokens, which let other programs start runs",
        ("activations.change_triggertoken",),
        Role.ADMIN,
    ),
    "users": Capability(
        "See, add, change and delete users and groups, and assign roles",
        (
            *_all("auth", "user", "group", verbs=("view", "add", "change", "delete")),
            *_all("accounts", "invitation", verbs=("view", "add", "change", "delete")),
        ),
        Role.ADMIN,
    ),
    "audit": Capability(
        "View and download the audit log",
        _all("audit", "auditentry", verbs=("view",)),
        Role.ADMIN,
    ),
    "tasks": Capability("View the periodic tasks", ("django_celery_beat.view_periodictask",), Role.ADMIN),
}
"""By the names used in `entry_points`, in the order of the documentation."""


def permissions_of(role: Role) -> set[str]:
    """All Django permissions of a role."""
    return {name for each in TABLE.values() if role in each.roles for name in each.permissions}


def markdown() -> str:
    """The table in the format of the documentation."""
    lines = [f"| | {' | '.join(Role)} |", f"|---|{':---:|' * len(Role)}"]
    for each in TABLE.values():
        ticks = " | ".join("✓" if role in each.roles else "" for role in Role)
        lines.append(f"| {each.sentence} | {ticks} |")
    return "\n".join([*lines, f"| {COMMANDS} |{'  |' * len(Role)}"])
