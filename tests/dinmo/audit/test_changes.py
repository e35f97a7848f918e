"""What changes of the configuration leave in the audit log, wherever they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.utils import timezone

from activations.models import Activation, AlertChannel, FieldMapping, Run, SystemPause
from activations.pauses import act
from activations.pauses.rules import Failure
from activations.runs import tokens
from activations.setup.duplicate import duplicate
from core.audit import SYSTEM, Actor, Kind, acting_as, recording
from destinations.models import Connection
from dinmo.audit.models import AuditEntry
from dinmo.audit.wording import LONGEST_VALUE, MOST_FIELDS, Description, Secret, differences
from segments.integrity.segments import rename_column
from segments.models import Column, ComputedField, DataModel, Relation, Segment, Source

pytestmark = pytest.mark.django_db
Entries = Callable[[], list[AuditEntry]]


def brief(entries: list[AuditEntry]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(entry.verb, entry.object_name, entry.changes) for entry in entries]


def test_a_changed_setting_has_its_value_before_and_after(activation: Activation, since: Entries) -> None:
    since()
    activation.mode = "update"
    activation.save()
    assert brief(since()) == [
        (
            "changed",
            "Away",
            {
                "Mode": [
                    "Upsert: create new records and update existing ones",
                    "Update: only records that exist at the destination",
                ]
            },
        )
    ]


def test_saving_without_a_change_leaves_no_entry(activation: Activation, since: Entries) -> None:
    since()
    activation.save()
    activation.mappings.get().save()
    Source.objects.get().record_health(timezone.now(), None, "fine")
    assert since() == []


def test_a_mapping_is_an_entry_of_its_activation(activation: Activation, since: Entries) -> None:
    since()
    mapping = activation.mappings.get()
    mapping.column = "legal_name"
    mapping.policy = FieldMapping.Policy.IF_EMPTY
    mapping.save()
    assert brief(since()) == [
        ("changed", "Away", {"Mapping to name": ["name", "legal_name, only if empty at the destination"]})
    ]


def test_all_changes_of_a_block_are_one_entry(activation: Activation, since: Entries) -> None:
    since()
    with recording():
        activation.mode = "insert"
        activation.save()
        activation.mappings.all().delete()
        activation.mappings.create(column="plan", target="plan")
        activation.mappings.create(column="name", target="name")
        activation.schedules.create(every=15, unit="minutes")
    (entry,) = since()
    assert set(entry.changes) == {"Mode", "Mapping to plan", "Schedules"}
    assert entry.changes["Schedules"] == ["", "Every 15 minutes"]


def test_blocks_inside_of_blocks_belong_to_the_outer_one(activation: Activation, since: Entries) -> None:
    since()
    with recording():
        with recording(activation):
            activation.mappings.create(column="plan", target="plan")
        activation.mappings.create(column="seats", target="seats")
    (entry,) = since()
    assert set(entry.changes) == {"Mapping to plan", "Mapping to seats"}


def test_a_change_that_is_rolled_back_leaves_no_entry(activation: Activation, since: Entries) -> None:
    since()
    for block in (recording, transaction.atomic):
        with pytest.raises(RuntimeError), block():
            activation.name = "Other"
            activation.save()
            raise RuntimeError
    assert since() == []


def test_a_part_that_is_rolled_back_is_not_in_the_entry(activation: Activation, since: Entries) -> None:
    since()
    with recording():
        activation.mappings.create(column="plan", target="plan")
        with pytest.raises(RuntimeError), transaction.atomic():
            activation.mappings.create(column="seats", target="seats")
            raise RuntimeError
    (entry,) = since()
    assert set(entry.changes) == {"Mapping to plan"}


def test_deleting_an_object_is_one_entry_with_what_it_was(activation: Activation, since: Entries) -> None:
    pk = activation.pk
    since()
    activation.delete()
    (entry,) = since()
    assert (entry.verb, entry.object_name, entry.object_id) == ("deleted", "Away", pk)
    assert entry.changes["Mapping to name"] == ["name", ""]
    assert AuditEntry.objects.filter(object_type="activations.activation", object_id=pk).count() == 3


def test_deleting_many_is_an_entry_for_each(activation: Activation, since: Entries) -> None:
    second = duplicate(activation)
    since()
    Activation.objects.all().delete()
    assert sorted((entry.verb, entry.object_name) for entry in since()) == [
        ("deleted", "Away"),
        ("deleted", second.name),
    ]


def test_a_copy_is_one_entry(activation: Activation, since: Entries) -> None:
    since()
    duplicate(activation)
    (entry,) = since()
    assert (entry.verb, entry.changes["Mapping to name"]) == ("created", ["", "name"])


def test_secrets_are_never_in_an_entry(activation: Activation, since: Entries) -> None:
    connection = Connection.objects.get()
    connection.secrets = {"token": "another-secret-token"}
    connection.save()
    source = Source.objects.get()
    source.secrets = {}
    source.save()
    AlertChannel.objects.create(name="Ops", kind="slack", secrets={"url": "https://hooks.slack.com/services/T/B/xyz"})
    User.objects.create_user("ada", password="correct-horse-battery")
    changes = {entry.object_name: entry.changes for entry in AuditEntry.objects.order_by("pk")}
    assert ["Set", "Changed"] in changes["Our Attio"].values()
    assert ["Set", ""] in changes["Shop"].values()
    text = str(list(AuditEntry.objects.values()))
    for secret in ("another-secret-token", "token-of-attio", "hunter22", "hooks.slack.com", "correct-horse", "pbkdf2"):
        assert secret not in text


def test_the_same_secret_saved_again_leaves_no_entry(activation: Activation, since: Entries) -> None:
    since()
    Connection.objects.get().save()
    assert since() == []


def test_secrets_that_can_not_be_decrypted_do_not_prevent_a_change(
    activation: Activation, since: Entries, settings: Any
) -> None:
    since()
    settings.ENCRYPTION_KEYS = ["MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="]
    connection = Connection.objects.defer("secrets").get()
    connection.name = "Attio of sales"
    connection.secrets = {"token": "entered again"}
    connection.save()
    (entry,) = since()
    assert entry.changes["Name"] == ["Our Attio", "Attio of sales"]


def test_credentials_in_plain_text_are_redacted() -> None:
    before = Description("m", {"SQL": "select 1"})
    after = Description("m", {"SQL": "select * from dblink('password=hunter22 host=db')"})
    assert "hunter22" not in str(differences(before, after))


def test_renaming_a_column_is_recorded_wherever_it_is_used(activation: Activation, since: Entries) -> None:
    model = DataModel.objects.get()
    Column.objects.bulk_create(
        Column(model=model, name=name, type="text", position=place) for place, name in enumerate(["id", "name", "plan"])
    )
    Segment.objects.update(where={"all": [{"field": "name", "is": "equals", "value": "Ada"}]})
    since()
    with recording():
        rename_column(model, "name", "legal_name")
    assert brief(since()) == [
        ("changed", "Away", {"Mapping to name": ["name", "legal_name"]}),
        ("changed", "French", {"Conditions": ["name is Ada", "legal_name is Ada"]}),
    ]


def test_columns_and_relations_are_entries_of_their_model(since: Entries, activation: Activation) -> None:
    model = DataModel.objects.get()
    orders = DataModel.objects.create(name="Orders", source=model.source, table="orders", primary_key="id")
    since()
    relation = Relation.objects.create(from_model=orders, from_column="company_id", to_model=model, to_column="id")
    ComputedField.objects.create(
        model=model, name="orders", type="integer", definition={"related": "Orders", "count": True}
    )
    relation.delete()
    assert brief(since()) == [
        ("changed", "Orders", {"Belongs to": ["", "company_id → Companies.id"]}),
        ("changed", "Companies", {"Computed field orders": ["", "the number of Orders"]}),
        ("changed", "Orders", {"Belongs to": ["company_id → Companies.id", ""]}),
    ]


def test_a_person_and_the_system_pause_and_resume(activation: Activation, since: Entries) -> None:
    since()
    with acting_as(Actor(Kind.PERSON, "ada", 7, "10.0.0.1")):
        act.pause_by_person(activation)
        act.resume_by_person(activation, timezone.now())
    run = Run.objects.get()
    with acting_as(SYSTEM, run=run.pk):
        act.pause(activation, Failure("source", "source_unreachable", "It is away."), timezone.now())
    SystemPause.objects.get().delete()
    found = since()
    assert [(entry.actor_label, entry.verb) for entry in found] == [
        ("ada", "paused"),
        ("ada", "resumed"),
        ("DinMo", "paused"),
        ("DinMo", "resumed"),
    ]
    assert found[2].changes == {"Paused": ["No", "By the system: source"]}
    assert [entry.run for entry in found] == [None, None, run.pk, None]


def test_a_person_resumes_what_the_system_paused_in_one_entry(activation: Activation, since: Entries) -> None:
    act.pause(activation, Failure("source", "source_unreachable", "It is away."), timezone.now())
    activation.paused = True
    activation.save()
    since()
    act.resume_by_person(activation, timezone.now())
    assert [entry.verb for entry in since()] == ["resumed"]


def test_tokens_are_recorded_without_their_secret(activation: Activation, since: Entries) -> None:
    since()
    token, secret = tokens.create(activation, "dbt", "ada")
    tokens.find(secret, timezone.now())
    tokens.revoke(token, timezone.now())
    found = since()
    assert [entry.changes for entry in found] == [
        {"Trigger token dbt": ["", "In use"]},
        {"Trigger token dbt": ["In use", ""]},
    ]
    assert secret not in str(found) + str([entry.changes for entry in found])


def test_permissions_and_groups_of_users_are_recorded(since: Entries) -> None:
    user = User.objects.create_user("ada")
    group = Group.objects.create(name="Operators")
    since()
    user.groups.add(group)
    group.permissions.add(Permission.objects.get(codename="view_auditentry"))
    user.is_superuser = True
    user.save()
    user.set_password("a-new-long-password")
    user.save()
    group.user_set.remove(user)
    assert brief(since()) == [
        ("changed", "ada", {"Groups": ["", "Operators"]}),
        ("changed", "Operators", {"Permissions": ["", "Audit log: view"]}),
        ("changed", "ada", {"Administrator": ["No", "Yes"]}),
        ("changed", "ada", {"Password": ["Set", "Changed"]}),
        ("changed", "ada", {"Groups": ["Operators", ""]}),
    ]


def test_long_values_and_many_fields_are_cut() -> None:
    changes = differences(None, Description("m", {f"Column {n}": "x" * 2_000 for n in range(MOST_FIELDS + 5)}))
    assert len(changes) == MOST_FIELDS + 1
    assert changes["More"] == ("", "5 other changes")
    assert len(changes["Column 0"][1]) == LONGEST_VALUE


def test_a_change_beyond_what_is_shown_is_still_a_change() -> None:
    before, after = (Description("m", {"SQL": "x" * 1_000 + end}) for end in "ab")
    assert differences(before, after)["SQL"][1].endswith("(changed)")


def test_a_secret_has_no_text() -> None:
    assert "hunter22" not in f"{Secret('hunter22')!r} {Secret('hunter22')}"
