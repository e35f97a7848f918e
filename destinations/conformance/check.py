"""How the suite's checks are declared, and how they fail: with a sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.conformance.subject import Subject

DECLARED: list[Check] = []
"""Every check that has been declared so far."""


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
    subject: str = ""
    """The module that declares it."""

    @property
    def rule(self) -> str:
        """The name without the case, as in `Sample.waived`."""
        return self.name.partition("[")[0]


def check(run: Callable[[Subject], None]) -> Callable[[Subject], None]:
    """Declares a check."""
    DECLARED.append(Check(run.__name__, run, run.__module__))
    return run


def check_each(*cases: Any) -> Callable[[Callable[[Subject, Any], None]], Callable[[Subject, Any], None]]:
    """Declares one check for each of the cases, which it receives as its second argument."""

    def declare(run: Callable[[Subject, Any], None]) -> Callable[[Subject, Any], None]:
        for case in cases:
            DECLARED.append(Check(f"{run.__name__}[{_label(case)}]", partial(_with_case, run, case), run.__module__))
        return run

    return declare


def _with_case(run: Callable[[Subject, Any], None], case: Any, subject: Subject) -> None:
    run(subject, case)


def require(condition: object, reason: str) -> None:
    """Raises NotApplicable with the reason unless the condition holds."""
    if not condition:
        raise NotApplicable(reason)


def _label(case: Any) -> str:
    return "-".join(map(str, case)) if isinstance(case, tuple) else str(case)
