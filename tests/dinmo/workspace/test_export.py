"""`export` writes the whole workspace without its secrets, and applying the file changes nothing."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activations import warning_kinds
from activations.models import Activation
from destinations.models import Connection, Destination
from dinmo.workspace import apply as applying
from dinmo.workspace import entities, export, file, from_database, plan, problems, sources
from segments.models import DataModel, Segment, Source
from tests.dinmo import shop

if TYPE_CHECKING:
    from pathlib import Path

LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\0")
TEXTS = st.text(LETTERS, min_size=1, max_size=30) | st.sampled_from(
    ["NO", "12", "1e3", "true", "${X}", "a: b # c", "- x", "'", '"\\']
)
NAMES = TEXTS.map(str.strip).filter(bool)
TYPES = {"id": "integer", "name": "text", "mrr": "number", "active": "boolean", "since": "date", "NO": "text"}
COLUMNS = tuple(entities.Column(name=name, type=kind) for name, kind in TYPES.items())
COLUMN = st.sampled_from(sorted(TYPES))
LEAVES = st.one_of(
    st.builds(
        lambda name, value: {"field": name, "is": "equals", "value": value}, st.sampled_from(["name", "NO"]), NAMES
    ),
    st.builds(
        lambda values: {"field": "name", "is": "one_of", "value": values},
        st.lists(NAMES, min_size=1, max_size=4, unique=True),
    ),
    st.builds(lambda value: {"field": "id", "is": "at_least", "value": value}, st.integers(-(10**9), 10**9)),
    st.builds(lambda value: {"field": "active", "is": "equals", "value": value}, st.booleans()),
    st.builds(
        lambda day: {"field": "since", "is": "before", "value": day.isoformat()},
        st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    ),
    st.builds(lambda name: {"field": name, "is": "empty"}, COLUMN),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda operator, conditions: {operator: conditions},
        st.sampled_from(["all", "any"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
).map(lambda tree: tree if "field" not in tree else {"all": [tree]})
VALUES = st.booleans() | st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9) | TEXTS | st.lists(TEXTS, max_size=3)
TEMPLATES = st.builds(
    lambda column, text: f"{text.replace('{', '{{').replace('}', '}}')}{{{column}}}", COLUMN, st.just("") | TEXTS
)
ZONES = st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"])
SCHEDULES = st.one_of(
    st.builds(
        lambda every, unit: entities.Schedule(kind="interval", every=every, unit=unit),
        st.integers(1, 300),
        st.sampled_from(["minutes", "hours", "days"]),
    ),
    st.builds(
        lambda cron, zone: entities.Schedule(kind="cron", cron=cron, timezone=zone),
        st.sampled_from(["0 7 * * 1-5", "*/5 * * * *", "30 2 1 */3 sun"]),
        ZONES,
    ),
    st.builds(
        lambda days, at, zone: entities.Schedule(
            kind="weekly", days=tuple(day for day in entities.WEEK if day in days), at=f"{at:%H:%M}", timezone=zone
        ),
        st.sets(st.sampled_from(entities.WEEK), min_size=1),
        st.times(),
        ZONES,
    ),
)
MOMENTS = st.just("") | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
SCHEDULES = st.one_of(
    SCHEDULES,
    st.builds(
        lambda every, column, starts: entities.Schedule(
            kind="data_changed", every=every, unit="hours", column=column, starts=starts
        ),
        st.integers(1, 300),
        st.just("") | COLUMN,
        MOMENTS,
    ),
    st.builds(
        lambda ends, purpose: entities.Schedule(kind="interval", every=1, unit="days", ends=ends, purpose=purpose),
        MOMENTS,
        st.sampled_from(["run", "drift"]),
    ),
)
SETTINGS = st.fixed_dictionaries(
    {
        "overlap": st.sampled_from(["skip", "queue"]),
        "catch_up": st.booleans(),
        "warnings_enabled": st.booleans(),
        **{
            limit.key: st.booleans() if limit.unit == "switch" else st.none() | st.integers(0, limit.most)
            for limit in warning_kinds.limits()
        },
        "recipients": st.sampled_from([(), ("ops@example.com",), ("a@example.com", "b+c@example.com")]),
        "hold_empty": st.booleans(),
        "hold_size_percent": st.none() | st.integers(0, 32_767),
        "hold_creates": st.none() | st.integers(0, 2_147_483_647),
        "hold_change_percent": st.none() | st.integers(0, 100),
        "hold_first_creates": st.booleans(),
        "backfill": st.sampled_from(["all", "new"]),
        "compare_first": st.none() | st.booleans(),
        "paused": st.booleans(),
    }
)


HOOK = "https://example.com/services/hush"
EVENTS = st.sets(st.sampled_from(tuple(warning_kinds.EVENTS)), min_size=1).map(
    lambda chosen: tuple(event for event in warning_kinds.EVENTS if event in chosen)
)
DIGESTS = st.sampled_from(["", "08:00", "23:59"])
CHANNELS = st.one_of(
    st.builds(
        lambda name, kind, events, digest, on: entities.Channel(
            name=name, kind=kind, config={}, secrets={"url": HOOK}, events=events, digest_at=digest, enabled=on
        ),
        NAMES, st.sampled_from(["slack", "teams"]), EVENTS, DIGESTS, st.booleans(),
    ),
    st.builds(
        lambda name, listed, events, digest: entities.Channel(
            name=name, kind="email", config={"recipients": ", ".join(listed)}, secrets={}, events=events,
            digest_at=digest,
        ),
        NAMES | st.just("Workspace recipients"),
        st.sampled_from([["ops@example.com"], ["a@example.com", "b+c@example.com"]]),
        EVENTS | st.just(tuple(warning_kinds.EVENTS)), DIGESTS,
    ),
)  # fmt: skip


@st.composite
def mappings(draw: st.DrawFn, match: str, custom: bool) -> tuple[entities.FieldMapping, ...]:
    options = {
        "when_empty": st.sampled_from(["keep", "clear"]),
        "multi": st.sampled_from(["replace", "add"]),
        "country": st.sampled_from(["", "FR", "NO"]),
        "rounds": st.booleans(),
        "policy": st.sampled_from(["always", "if_empty", "on_create", "restore"]),
    }
    targets = draw(st.lists(NAMES.filter(lambda name: name != match), max_size=4, unique=True))
    rows = []
    for position, target in enumerate(targets):
        drawn: dict[str, Any] = {name: draw(option) for name, option in options.items()}
        if custom and position >= len(targets) // 2:
            # Intercom refuses other names, and so does the file.
            name = f"custom {position}-{draw(st.text('abÉ株 _-1', max_size=9))}_"
            rows.append(entities.FieldMapping(target=name, column=draw(COLUMN), custom_attribute=True, **drawn))
        elif draw(st.booleans()):
            rows.append(entities.FieldMapping(target=target, column=draw(COLUMN), **drawn))
        elif draw(st.booleans()):
            rows.append(entities.FieldMapping(target=target, template=draw(TEMPLATES), **drawn))
        else:
            rows.append(entities.FieldMapping(target=target, value=draw(VALUES), **drawn))
    return tuple(rows)


@st.composite
def workspaces(draw: st.DrawFn) -> entities.Workspace:
    """A valid workspace: some sources, models and segments, both services, and some activations."""

    def by_name(items: Any) -> Any:
        return {entity.name: entity for entity in items}

    def names(most: int) -> list[str]:
        return draw(st.lists(NAMES, min_size=1, max_size=most, unique=True))

    shops = by_name(
        entities.Source(name=name, engine="sqlite", timezone=draw(ZONES), config={"path": draw(NAMES)}, secrets={})
        for name in names(2)
    )
    models = {}
    for name in names(3):
        table = draw(st.booleans())
        text = (
            draw(NAMES)
            if table
            else draw(TEXTS | st.sampled_from(["select *\n  from x\n\nwhere a = '${b}'\n", "a\n\n", " a\n b \n"]))
        )
        models[name] = entities.Model(
            name=name,
            source=draw(st.sampled_from(sorted(shops))),
            table=text if table else "",
            sql="" if table else text,
            primary_key="id",
            display=draw(COLUMN),
            columns=COLUMNS,
        )
    segments = by_name(
        entities.Segment(
            name=name,
            model=draw(st.sampled_from(sorted(models))),
            where=draw(TREES | st.just({})),
            description=draw(st.just("") | TEXTS),
        )
        for name in names(3)
    )
    attio, intercom = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
    connections = by_name(
        [
            entities.Connection(name=attio, platform="attio", config={}, secrets={"token": "t-1"}),
            entities.Connection(name=intercom, platform="intercom", config={"region": "eu"}, secrets={"token": "t-2"}),
        ]
    )
    destinations = by_name(
        [
            entities.Destination(name=attio, connection=attio, service="attio.companies"),
            entities.Destination(name=intercom, connection=intercom, service="intercom.companies"),
        ]
    )
    activations = by_name(_activation(draw, name, segments, models, attio, intercom) for name in names(3))
    return entities.Workspace(
        sources=shops,
        models=models,
        segments=segments,
        connections=connections,
        destinations=destinations,
        activations=activations,
        channels={one.name: one for one in draw(st.lists(CHANNELS, max_size=2))},
    )


def _activation(draw: Any, name: str, segments: Any, models: Any, attio: str, intercom: str) -> entities.Activation:
    by_segment = draw(st.booleans())
    to_intercom = draw(st.booleans())
    match = "company_id" if to_intercom else "domains"
    return entities.Activation(
        name=name,
        segment=draw(st.sampled_from(sorted(segments))) if by_segment else "",
        model="" if by_segment else draw(st.sampled_from(sorted(models))),
        destination=intercom if to_intercom else attio,
        mode=draw(st.sampled_from(["upsert", "update"])),
        match_column=draw(COLUMN),
        match_field=match,
        mappings=draw(mappings(match, to_intercom)),
        schedules=tuple(draw(st.lists(SCHEDULES, max_size=3, unique=True))),
        settings=draw(SETTINGS),
    )


def columns(*args: Any) -> tuple[entities.Column, ...]:
    return COLUMNS


@settings(max_examples=40, deadline=None)
@given(workspaces())
def test_every_workspace_is_read_back_from_its_export(workspace: entities.Workspace) -> None:
    read = file.read(export.text(workspace), {}, workspace, columns)
    assert plan.make(read, workspace, {}).steps == ()
    # The recipients come before the other channels.
    assert sorted(one.name for one in read.entities()) == sorted(one.name for one in workspace.entities())


@pytest.mark.django_db
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workspaces())
def test_every_workspace_survives_the_round_trip_through_the_database(workspace: entities.Workspace) -> None:
    with transaction.atomic():
        given_tokens = export.text(workspace).replace("platform: attio", "token: t-1\n    platform: attio")
        given_tokens = given_tokens.replace("platform: intercom", "token: t-2\n    platform: intercom")
        for kind in ("slack", "teams"):
            given_tokens = given_tokens.replace(f"      kind: {kind}", f"      url: {HOOK}\n      kind: {kind}")
        applying.apply(given_tokens, {}, columns)
        stored = from_database.read()
        assert plan.make(workspace, stored, {}).steps == ()
        again = applying.apply(export.text(stored), {}, columns)
        assert list(again.lines())[-1] == "Nothing changed."
        transaction.set_rollback(True)


@pytest.fixture
def _shop(tmp_path: Path, settings: Any, db: None) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    shop.make(tmp_path)
    applying.apply(shop.WORKSPACE, shop.SECRETS, sources.columns)


@pytest.mark.usefixtures("_shop")
def test_applying_an_export_changes_nothing() -> None:
    applied = applying.apply(export.text(from_database.read()), {}, sources.columns)
    assert list(applied.lines()) == ["= 10 unchanged", "Nothing changed."]


@pytest.mark.usefixtures("_shop")
def test_export_contains_no_secret_but_lists_those_that_are_kept() -> None:
    text = export.text(from_database.read())
    assert "secret-1" not in text
    assert text.count("token: kept, not exported") == 2


@pytest.mark.usefixtures("_shop")
def test_applying_an_export_to_an_empty_workspace_requires_the_secrets() -> None:
    text = export.text(from_database.read())
    for model in (Activation, Segment, DataModel, Source, Destination, Connection):
        model._default_manager.all().delete()
    with pytest.raises(problems.Refused) as refused:
        applying.apply(text, {}, sources.columns)
    named = [text.splitlines()[problem.line - 1] for problem in refused.value.problems]
    assert named == ["  - name: Our Attio", "  - name: Our Intercom"]
    assert all("`token`" in problem.sentence for problem in refused.value.problems)


@pytest.mark.usefixtures("_shop")
def test_what_was_created_in_the_browser_is_exported_too() -> None:
    activation = Activation.objects.get(name="Companies to Intercom")
    activation.mappings.filter(target="mrr").update(position=0, when_empty="clear", policy="if_empty")
    activation.schedules.create(kind="interval", every=2, unit="hours", timezone="Europe/Paris")
    text = export.text(from_database.read())
    assert "- {from: mrr, to: mrr, when_empty: clear, write: if_empty}" in text
    assert "- {every: 2 hours}" in text
    assert list(applying.apply(text, {}, sources.columns).lines())[-1] == "Nothing changed."


@pytest.mark.usefixtures("_shop")
def test_command_writes_to_a_file_or_to_standard_output(tmp_path: Path, capsys: Any) -> None:
    call_command("export")
    printed = capsys.readouterr().out
    call_command("export", str(tmp_path / "out.yaml"))
    assert (tmp_path / "out.yaml").read_text() == printed
    assert "name: Norwegians to Attio" in printed


@pytest.mark.usefixtures("_shop")
def test_command_reports_a_file_that_can_not_be_written(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("export", str(tmp_path / "none" / "out.yaml"))
    assert ended.value.code == 64
    assert "out.yaml can't be written: No such file or directory." in capsys.readouterr().err
