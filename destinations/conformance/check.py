"""How the suite's checks are declared, and how they fail: with a sentence that says what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.conformance.subject import Subject

CHECKS: list[Check] = []
"""Every check that has been declared so far, in order. `suite` imports all the modules that declare some."""


class NotApplicable(Exception):
    """The check has nothing to test for this service; the message says why."""


@dataclass(frozen=True)
class Check:
    """One thing that every service must do.

    Args:
        name: a sentence in snake_case, plus the case in brackets if the check has several.
        run: raises AssertionError with what was expected and where to look, or NotApplicable.
    """

    name: str
    run: Callable[[Subject], None]

    @property
    def rule(self) -> str:
        """The name without the case, as in `Sample.waived`."""
        return self.name.partition("[")[0]


def check(run: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Declares a check."""
    CHECKS.append(Check(run.__name__, run))
    return run


def check_each(*cases: Any) -> Callable[[Callable[[Subject, Any], None]], Callable[[Subject, Any], None]]:
    """Declares one check for each of the cases, which it receives as its second argument."""

    def declare(run: Callable[[Subject, Any], None]) -> Callable[[Subject, Any], None]:
        for case in cases:
            CHECKS.append(Check(f"{run.__name__}[{_label(case)}]", partial(_with_case, run, case)))
        return run

    return declare


def _with_case(run: Callable[[Subject, Any], None], case: Any, subject: Subject) -> None:
    run(subject, case)


def expect(condition: object, sentence: str) -> None:
    """Raises AssertionError with the sentence unless the condition holds."""
    if not condition:
        raise AssertionError(sentence)


def require(condition: object, reason: str) -> None:
    """Raises NotApplicable with the reason unless the condition holds."""
    if not condition:
        raise NotApplicable(reason)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON. True, 1, 1.0 and "1" all differ, and so do null and an empty text."""
    return spelled(one) == spelled(other)


def same_items(one: Any, other: Any) -> bool:
    """Whether two lists have the same items in any order."""
    return (
        isinstance(one, list) and isinstance(other, list) and sorted(map(spelled, one)) == sorted(map(spelled, other))
    )


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)


def _label(case: Any) -> str:
    return "-".join(map(str, case)) if isinstance(case, tuple) else str(case)
