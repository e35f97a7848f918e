"""PURE. The steps of a setup, and which of them are done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A step's name and title, and the address where it is done; "" if an earlier step comes first."""

    name: str
    title: str
    url: str = ""


@dataclass(frozen=True)
class Step:
    """A step as the bar of steps shows it."""

    name: str
    title: str
    url: str
    done: bool
    current: bool


def steps(places: list[Place], done: set[str], current: str = "") -> list[Step]:
    """The steps in their order.

    Args:
        done: the names of the steps that are done.
        current: the name of the step that the page shows; "" marks the next one.
    """
    shown = current or following(places, done).name
    return [Step(place.name, place.title, place.url, place.name in done, place.name == shown) for place in places]


def following(places: list[Place], done: set[str]) -> Place:
    """The first step that is not done, or the last one."""
    return next((place for place in places if place.name not in done), places[-1])
