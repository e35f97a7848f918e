"""The whole suite: every check, and how to run one against a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from destinations.conformance.check import DECLARED, Check, NotApplicable
from destinations.conformance.checks import (
    batches,
    changes,
    declarations,
    errors,
    lookups,
    network,
    quota,
    reads,
    updates,
    visibility,
    writes,
)
from destinations.conformance.checks.stored import clearing, lists, plain, values
from destinations.conformance.subject import TOKEN, opened
from destinations.sandbox.http_server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.sample import Sample
    from destinations.contract import Field, Service
    from destinations.sandbox.base import Sandbox

__all__ = ["CHECKS", "Check", "Finding", "NotApplicable", "Suite", "served"]

SUBJECTS = (
    declarations, updates, writes, values, lists, lookups, plain, clearing, batches, quota, errors, reads,
    changes, visibility, network,
)  # fmt: skip
CHECKS = tuple(check for subject in SUBJECTS for check in DECLARED if check.subject == subject.__name__)
"""Every check. Those that find most mistakes come first."""


@dataclass(frozen=True)
class Finding:
    """A check that a service does not pass, and what to do about it."""

    check: str
    message: str


def served(sandbox: type[Sandbox]) -> Server:
    """A simulator for the suite, to be used as a context manager."""
    return Server(sandbox(TOKEN))


class Suite:
    """Every check of one service.

    Args:
        server: the platform's simulator, from `served`. It is emptied before every check.
    """

    def __init__(self, service: Service, sample: Sample, server: Server) -> None:
        self.service, self.sample, self.server = service, sample, server
        self._fields: dict[str, Field] | None = None

    def run(self, check: Check) -> None:
        """Runs one check; twice if the service writes batches: each record alone, and as a batch.

        Raises:
            AssertionError: the service does not pass. Any other exception is a bug in the service.
            NotApplicable: there is nothing to check.
        """
        if check.rule in self.sample.waived:
            raise NotApplicable(self.sample.waived[check.rule])
        for batched in (False, True) if self.service.limits.write_batch > 1 else (False,):
            with opened(self.service, self.sample, self.server, self._fields) as subject:
                self._fields = subject.fields
                subject.batched = batched
                check.run(subject)

    def findings(self) -> Iterator[Finding]:
        """Runs every check, and yields those that the service does not pass."""
        for check in CHECKS:
            try:
                self.run(check)
            except NotApplicable:
                continue
            except AssertionError as error:
                yield Finding(check.name, str(error))
            except Exception as error:
                yield Finding(check.name, f"The service raised {type(error).__name__}: {error}")
