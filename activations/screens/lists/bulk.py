"""PURE. What an action on many activations will do with each, in words, before anything is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Chosen:
    """An activation that a person has selected.

    Args:
        cause: why the system paused it; "" if it didn't.
    """

    pk: int
    name: str
    paused: bool = False
    is_live: bool = False
    is_held: bool = False
    is_draft: bool = False
    cause: str = ""


@dataclass(frozen=True)
class Effect:
    """What the action does with one activation, or why it does nothing.

    Args:
        remark: what is worth knowing about it; "" if nothing is.
        shared: the remark about many of them, as the end of a sentence that starts with a number.
    """

    chosen: Chosen
    acts: bool
    remark: str = ""
    shared: str = ""


@dataclass(frozen=True)
class Action:
    """An action in words: of its button, and of what happens to one or many."""

    name: str
    button: str
    done: str


RUN = Action("run_selected", "Run now", "will run now")
PAUSE = Action("pause_selected", "Pause", "will be paused: schedules start no runs until you resume")
RESUME = Action("resume_selected", "Resume", "will be resumed: schedules start runs again")
ACTIONS = {action.name: action for action in (RUN, PAUSE, RESUME)}


def effects(action: Action, chosen: Sequence[Chosen]) -> list[Effect]:
    """What the action does with each activation."""
    decide = {RUN.name: _run, PAUSE.name: _pause, RESUME.name: _resume}[action.name]
    return [decide(one) for one in chosen]


def sentences(action: Action, found: Sequence[Effect]) -> list[str]:
    """What will happen and what won't: first the number that it happens to, then what is special about some."""
    acting = sum(effect.acts for effect in found)
    lines = [f"{_activations(acting)} {action.done}." if acting else "Nothing will change."]
    remarks = Counter(effect.shared for effect in found if effect.shared)
    return lines + [f"{number:,} {remark}." for remark, number in remarks.items()]


def _run(one: Chosen) -> Effect:
    if one.is_live:
        return Effect(one, acts=False, remark="Already running", shared="already running, so no second run starts")
    if one.is_held:
        return Effect(one, acts=False, remark="Waiting for approval", shared="waiting for approval, so no run starts")
    if one.is_draft:
        return Effect(one, acts=False, remark="Draft: start it from its page", shared="never started, so not run here")
    if one.cause:
        return Effect(one, acts=False, remark=one.cause, shared="paused by the system until the cause is fixed")
    if one.paused:
        return Effect(one, acts=True, remark="Paused, but runs once now", shared="paused, and runs once anyway")
    return Effect(one, acts=True)


def _pause(one: Chosen) -> Effect:
    if one.paused:
        return Effect(one, acts=False, remark="Already paused", shared="already paused")
    if one.is_live:
        return Effect(one, acts=True, remark="Its present run goes on", shared="running: the present run goes on")
    return Effect(one, acts=True)


def _resume(one: Chosen) -> Effect:
    if not one.paused and not one.cause:
        return Effect(one, acts=False, remark="Not paused", shared="not paused")
    if one.cause and not one.paused:
        shared = "paused by the system: pauses again if the next run fails"
        return Effect(one, acts=True, remark=one.cause, shared=shared)
    if one.is_draft:
        return Effect(one, acts=True, remark="Still a draft: schedules start no runs", shared="still a draft")
    return Effect(one, acts=True)


def _activations(number: int) -> str:
    return f"{number:,} activation{'' if number == 1 else 's'}"
