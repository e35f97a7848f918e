"""PURE. Validates which people an activation attaches to hidden records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.setup.spec import ActivationSpec, AttachSpec
    from destinations.contract import Reveals

MOST_ATTACHED = 50
PLACE = "attach_contacts"
"""The key of the block in a workspace file, and how problems name what they are about: `attach_contacts.model`."""
TEXT, NUMBERS = "text", ("integer", "number")


def problems(spec: ActivationSpec) -> Iterator[Misconfigured]:
    """What prevents attaching people as the activation says. Nothing if it attaches nobody."""
    attach = spec.attach
    if attach is None:
        return
    reveals = spec.service.reveals
    if reveals is None:
        message = f"{spec.service.label} has no hidden records to attach anybody to. Remove it from this activation."
        yield _wrong("attach_unsupported", message, "model")
        return
    yield from _columns(attach, reveals)
    if attach.company_column in attach.columns:
        yield from _key(spec, attach)
    if not 1 <= attach.at_most <= MOST_ATTACHED:
        yield _wrong("attach_number", f"Attach 1 to {MOST_ATTACHED} {reveals.nouns[1]} to each record.", "at_most")


def _columns(attach: AttachSpec, reveals: Reveals) -> Iterator[Misconfigured]:
    names = [each.name for each in reveals.found_by]
    if not attach.found_by:
        message = f"Choose at least one column that finds a {reveals.nouns[0]}: {' or '.join(names)}."
        yield _wrong("attach_found_by", message, names[0])
    wanted = {"company_column": attach.company_column, **attach.found_by}
    for place, column in wanted.items():
        if place != "company_column" and place not in names:
            message = f"A {reveals.nouns[0]} can't be found by “{place}”. Choose one of: {', '.join(names)}."
            yield _wrong("attach_found_by", message, place)
        elif column not in attach.columns:
            known = ", ".join(attach.columns) or "none"
            message = f"The model “{attach.model}” has no column “{column}”. It has: {known}."
            yield _wrong("attach_column", message, place)


def _key(spec: ActivationSpec, attach: AttachSpec) -> Iterator[Misconfigured]:
    """The column is compared with the primary key, so a value of one must be able to equal one of the other."""
    held, key = attach.columns[attach.company_column], spec.columns.get(spec.primary_key, TEXT)
    if held == TEXT or (held in NUMBERS and key in NUMBERS):
        return
    message = (
        f"“{attach.company_column}” of “{attach.model}” is of type {held}, so it can't hold the primary key "
        f"“{spec.primary_key}”, which is of type {key}. Choose the column that holds that key."
    )
    yield _wrong("attach_key", message, "company_column")


def _wrong(code: str, message: str, place: str) -> Misconfigured:
    return Misconfigured(code, message, where=f"{PLACE}.{place}")
