"""PURE. What write policies let a change write to a record that exists, and which records are read for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from activations.models import Change, MappedField


IF_EMPTY, ON_CREATE = "if_empty", "on_create"
"""The values of `FieldMapping.Policy` that make a difference in a run."""


@dataclass(frozen=True)
class Difference:
    """What a change would do to a record that exists. Each of its attributes is in exactly one of the three.

    Args:
        send: the attributes to write.
        kept: those that a policy leaves as they are, although the record holds something else.
        equal: those that the record holds already.
    """

    send: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policies:
    """The attributes of a run that are not always written.

    Args:
        if_empty: written only if the record holds nothing there.
        on_create: written only with the request that creates the record.
    """

    if_empty: frozenset[str] = frozenset()
    on_create: frozenset[str] = frozenset()

    @classmethod
    def of(cls, mode: str, fields: Iterable[MappedField]) -> Policies:
        """Those of a run. Insert mode writes only new records, so there they make no difference."""
        if mode == Mode.INSERT:
            return cls()
        by_name = {field.target: field.policy for field in fields}
        of_kind = (
            frozenset(name for name, kind in by_name.items() if kind == wanted) for wanted in (IF_EMPTY, ON_CREATE)
        )
        return cls(*of_kind)

    @property
    def names(self) -> frozenset[str]:
        return self.if_empty | self.on_create

    def need_read(self, change: Change) -> bool:
        """Whether what may be written depends on the record: on its values, or for a new one on whether it exists."""
        if change.remote_id:
            return not self.if_empty.isdisjoint(change.changed)
        return not self.names.isdisjoint(change.values)

    def difference(
        self, names: Iterable[str], equal: Callable[[str], bool], is_empty: Callable[[str], bool]
    ) -> Difference:
        """What may be written to a record that was read.

        Args:
            names: the attributes of the change.
            equal: whether the record holds what would be sent.
            is_empty: whether the record holds nothing there.
        """
        send, kept, same = [], [], []
        for name in names:
            if equal(name):
                same.append(name)
            elif name in self.on_create or (name in self.if_empty and not is_empty(name)):
                kept.append(name)
            else:
                send.append(name)
        return Difference(tuple(send), tuple(kept), tuple(same))

    def unread(self, names: Iterable[str]) -> Difference:
        """What may be written to a record that was not read: nothing that depends on it."""
        return self.difference(names, lambda _: False, lambda _: False)

    def hold_back(self, change: Change) -> None:
        """Takes what is written only with new records out of a change of a known one."""
        if not self.on_create.isdisjoint(change.changed):
            keep(change, [name for name in change.changed if name in self.on_create])
            change.changed = [name for name in change.changed if name not in self.on_create]


NO_POLICIES = Policies()


@dataclass(frozen=True)
class Reads:
    """When records are looked up although a write could do without.

    Args:
        merges: an upsert depends on the current record (see `Service.reads_first`).
        compares: new records are compared with what the destination holds, and only what differs is sent.
        all: known records are compared as well.
        policies: the attributes that are not always written.
    """

    merges: bool = False
    compares: bool = False
    all: bool = False
    policies: Policies = NO_POLICIES

    def needs(self, change: Change) -> bool:
        """Whether a change needs a lookup although its mode and its record don't require one."""
        if self.policies.need_read(change):
            return True
        return self.all if change.remote_id else self.merges or self.compares or change.lookup_first

    def hold_back(self, change: Change) -> None:
        """Takes what a policy never writes to a known record out of a change, unless the record is read anyway."""
        if change.remote_id and not self.needs(change):
            self.policies.hold_back(change)


NO_READS = Reads()


def keep(change: Change, names: Iterable[str]) -> None:
    """Notes attributes that a policy left as they are, besides those that were noted before."""
    kept = list(dict.fromkeys([*(change.kept or ()), *names]))
    change.kept = kept or None
