"""Schedules in the workspace file: every kind is read, exported and read back, and mistakes are refused by line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Schedule
from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database, problems, sources
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
EVERY = "      - {every: 15 minutes}\n"
SECOND = "custom_attributes: [mrr, country]\n"
ALL_KINDS = """\
      - {every: 6 hours, starts: "2026-12-01T08:00", ends: "2027-01-01T00:00+01:00", timezone: Europe/Paris}
      - {after: Companies to Intercom}
      - {when_changed: {every: 5 minutes, column: since}}
      - when_changed: {every: 1 hour}
        starts: "2026-12-01T08:00:00Z"
      - {cron: "0 6 * * *", purpose: drift}
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)


def apply(text: str) -> list[str]:
    return list(applying.apply(text, shop.SECRETS, sources.columns).lines())


def refused(schedules: str, second: str = "") -> list[tuple[str, str]]:
    text = shop.WORKSPACE.replace(EVERY, schedules).replace(SECOND, SECOND + second)
    with pytest.raises(problems.Refused) as found:
        apply(text)
    written = text.splitlines()
    return [(written[problem.line - 1].strip(), problem.sentence) for problem in found.value.problems]


def test_every_kind_is_stored() -> None:
    apply(shop.WORKSPACE.replace(EVERY, ALL_KINDS))
    stored = {schedule.kind: schedule for schedule in Schedule.objects.order_by("-pk")}
    assert stored["interval"].starts_at == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert stored["interval"].ends_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert str(stored["after"].after) == "Companies to Intercom"
    assert (stored["data_changed"].watch_column, stored["data_changed"].every) == ("since", 5)
    assert (stored["cron"].purpose, stored["after"].purpose) == ("drift", "run")
    assert Schedule.objects.filter(kind="data_changed", starts_at=datetime(2026, 12, 1, 8, tzinfo=UTC)).count() == 1


def test_exported_file_changes_nothing_and_keeps_the_rows() -> None:
    apply(shop.WORKSPACE.replace(EVERY, ALL_KINDS).replace("backfill: new", "overlap: queue\n    catch_up: false"))
    rows = set(Schedule.objects.values_list("pk", flat=True))
    text = export.text(from_database.read())
    assert "after: Companies to Intercom" in text
    assert apply(text)[-1] == "Nothing changed."
    assert set(Schedule.objects.values_list("pk", flat=True)) == rows
    one = Activation.objects.get(name="Norwegians to Attio")
    assert (one.overlap, one.catch_up) == ("queue", False)


def test_older_file_applies_as_before() -> None:
    apply(shop.WORKSPACE)
    one = Activation.objects.get(name="Norwegians to Attio")
    assert (one.overlap, one.catch_up, one.schedules.count()) == ("skip", True, 3)


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ("{after: Nothing}", "There is no activation named “Nothing”"),
        ("{after: Norwegians to Attio}", "“Norwegians to Attio” would run after itself."),
        ("{after: Companies to Intercom, cron: '0 7 * * *'}", "exactly one of"),
        ("{when_changed: {column: since}}", "needs `every`"),
        ("{when_changed: {every: 0 minutes}}", "from one minute to one year"),
        ("{when_changed: {every: 5 minutes, columns: since}}", "no key `columns`"),
        ('{every: 5 minutes, starts: "tomorrow"}', "ISO 8601"),
        ('{every: 5 minutes, starts: "2026-12-02", ends: "2026-12-01"}', "The end must be after the start."),
        ('{every: 5 minutes, timezone: "Mars/Base"}', "not a valid time zone"),
        ("{when_changed: {every: 5 minutes}, purpose: drift}", "fixed times"),
        ("{every: 5 minutes, purpose: drifting}", "purpose"),
    ],
)
def test_mistake_is_refused_in_words(schedule: str, sentence: str) -> None:
    found = refused(f"      - {schedule}\n")
    assert any(sentence in each for _, each in found), found
    assert all(schedule in line for line, _ in found)


def test_circle_is_refused_wherever_it_begins() -> None:
    second = "    schedules: [{after: Norwegians to Attio}]\n"
    found = refused("      - {after: Companies to Intercom}\n", second)
    assert [sentence for _, sentence in found] == [
        "“Norwegians to Attio” would run after itself.",
        "“Companies to Intercom” would run after itself.",
    ]


def test_circle_with_what_the_database_has_is_refused() -> None:
    apply(shop.WORKSPACE.replace(EVERY, "      - {after: Companies to Intercom}\n"))
    head, _, rest = shop.WORKSPACE.partition("activations:\n")
    second = rest[rest.index("  - name: Companies to Intercom") :]
    with pytest.raises(problems.Refused, match="would run after itself"):
        apply(f"{head}activations:\n{second}    schedules: [{{after: Norwegians to Attio}}]\n")
