"""PURE. What keeps a run from continuing: a setting, a vendor that is down, or one that accepts no more for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activations.delivery.retry import Breaker
from core.errors import Misconfigured, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Ending:
    """Watches the answers of a run for a reason to end it.

    Args:
        problem: why the run can't continue. A vendor that accepts requests again only later is an Unavailable whose
            `not_before` is set.
        defect: an exception that is not a `Problem`: a defect of ours.
    """

    problem: Misconfigured | Unavailable | None = None
    defect: BaseException | None = None
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def is_due(self) -> bool:
        return self.problem is not None or self.defect is not None

    def observe(self, problems: Sequence[Problem | None]) -> None:
        """Takes in the answer to one request.

        Args:
            problems: the problem of each of its records, or None if it was answered. `not_before` is set only if it is
                too late to wait for (see `retry.with_one_wait`).
        """
        self.breaker = self.breaker.after(problems)
        for problem in problems:
            if isinstance(problem, Misconfigured):
                self.problem = problem
            elif isinstance(problem, Unavailable) and (problem.not_before or self.breaker.is_open):
                self.problem = self.problem or problem
