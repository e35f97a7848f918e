"""The list of activations: what it shows of all rows at once, and what actions on many do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from activations.models import Activation, FieldMapping, Run, Schedule
from activations.runs import dispatch
from activations.screens.lists import bulk
from activations.setup.duplicate import duplicate
from destinations.models import Connection, Destination
from segments.models import DataModel, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

LIST = "/admin/activations/activation/"


@pytest.fixture
def destination(db: None) -> Destination:
    account = Connection.objects.create(name="Our Attio", platform="attio", secrets={"token": "x"})
    return Destination.objects.create(name="Attio companies", connection=account, service="attio.companies")


@pytest.fixture
def ops(db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


def activations(destination: Destination, number: int) -> list[Activation]:
    source = Source.objects.create(name=f"Shop {number}", engine="sqlite", config={"path": "x"})
    model = DataModel.objects.create(name=f"Companies {number}", source=source, table="companies", primary_key="id")
    made = []
    for position in range(number):
        made.append(
            Activation.objects.create(
                name=f"Number {number}.{position}",
                model=model,
                destination=destination,
                match_column="domain",
                match_field="domains",
                next_run_number=2,
            )
        )
        Schedule.objects.create(activation=made[-1], kind="interval", every=15, unit="minutes")
        Run.objects.create(activation=made[-1], number=1, trigger="manual", state="failed", error_message="Broken.")
    return made


def post(browser: Client, action: str, chosen: Iterable[Activation], **more: str) -> Any:
    values = {"action": action, "_selected_action": [row.pk for row in chosen], "index": 0, **more}
    return browser.post(LIST, values, follow=True)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(ops: Client, destination: Destination) -> None:
    counts = []
    for number in (2, 30):
        activations(destination, number)
        ops.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            html = ops.get(LIST).content.decode()
        assert f"Number {number}.{number - 1}" in html
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_each_row_shows_its_state_with_the_cause_and_its_last_run(ops: Client, destination: Destination) -> None:
    failing, _ = activations(destination, 2)
    html = ops.get(LIST).content.decode()
    assert "Failing" in html
    assert "Run 1 failed. Broken." in html
    assert reverse("admin:activations_run_change", args=[failing.runs.get().pk]) in html


@pytest.mark.parametrize(
    ("shown", "expected"),
    [("failed", {"a", "b"}), ("paused", {"b"}), ("running", {"c"}), ("drafts", {"d"}), ("never", {"d"})],
)
def test_filters_answer_what_people_ask(ops: Client, destination: Destination, shown: str, expected: set[str]) -> None:
    rows = dict(zip("abcd", activations(destination, 4), strict=True))
    for name, row in rows.items():
        row.name, row.paused, row.is_draft = name, name == "b", name == "d"
        row.save()
    rows["d"].runs.all().delete()
    rows["c"].runs.update(state=Run.State.PLANNING)
    found = {row.name for row in ops.get(LIST, {"show": shown}).context["cl"].result_list}
    assert found == expected


def test_running_many_says_first_what_will_happen_and_what_will_not(ops: Client, destination: Destination) -> None:
    plain, paused, live, draft = activations(destination, 4)
    Activation.objects.filter(pk=paused.pk).update(paused=True)
    Activation.objects.filter(pk=draft.pk).update(is_draft=True)
    live.runs.update(state=Run.State.PLANNING)
    answer = post(ops, "run_selected", [plain, paused, live, draft])
    html = answer.content.decode()
    assert "2 activations will run now." in html
    assert "1 paused, and runs once anyway." in html
    assert "1 already running, so no second run starts." in html
    assert Run.objects.count() == 4, "nothing starts before a person has agreed"

    post(ops, "run_selected", [plain, paused, live, draft], confirmed="yes")
    assert set(Run.objects.filter(state="queued").values_list("activation__name", flat=True)) == {
        plain.name,
        paused.name,
    }


def test_many_are_paused_and_resumed(ops: Client, destination: Destination) -> None:
    rows = activations(destination, 3)
    post(ops, "pause_selected", rows[:2], confirmed="yes")
    assert list(Activation.objects.order_by("pk").values_list("paused", flat=True)) == [True, True, False]
    post(ops, "resume_selected", rows, confirmed="yes")
    assert not Activation.objects.filter(paused=True).exists()


def test_whoever_may_only_view_has_no_actions(destination: Destination) -> None:
    rows = activations(destination, 2)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    browser = Client()
    browser.force_login(viewer)
    post(browser, "pause_selected", rows, confirmed="yes")
    assert not Activation.objects.filter(paused=True).exists()


def test_nothing_to_do_is_said_and_offers_no_button(ops: Client, destination: Destination) -> None:
    html = post(ops, "resume_selected", activations(destination, 2)).content.decode()
    assert "Nothing will change." in html
    assert "2 not paused." in html


def test_remarks_are_counted_by_what_they_say() -> None:
    chosen = [bulk.Chosen(1, "a", cause="Gone."), bulk.Chosen(2, "b", cause="Other."), bulk.Chosen(3, "c")]
    found = bulk.effects(bulk.RUN, chosen)
    assert bulk.sentences(bulk.RUN, found) == [
        "1 activation will run now.",
        "2 paused by the system until the cause is fixed.",
    ]
    assert [effect.remark for effect in found] == ["Gone.", "Other.", ""]


def test_a_copy_is_a_draft_with_the_same_fields_and_schedules(ops: Client, destination: Destination) -> None:
    row = activations(destination, 2)[0]
    FieldMapping.objects.create(activation=row, column="name", target="name", template="{name}", round_to_whole=True)
    answer = ops.post(f"{LIST}{row.pk}/do/duplicate/")
    copy = Activation.objects.get(is_draft=True)
    assert answer.headers["Location"] == f"{LIST}{copy.pk}/change/"
    assert copy.name == f"{row.name} (copy)"
    assert duplicate(row).name == f"{row.name} (copy) 2"
    mapping, schedule = copy.mappings.get(), copy.schedules.get()
    assert (mapping.column, mapping.target, mapping.template, mapping.round_to_whole) == (
        "name",
        "name",
        "{name}",
        True,
    )
    assert (schedule.every, schedule.unit, schedule.task) == (15, "minutes", None)
    assert not copy.runs.exists()
