"""What the scan found, and how severe it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Severity(IntEnum):
    """How severe a finding is. The scan fails from MEDIUM on."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True)
class Finding:
    """Something that the application should not do.

    Args:
        check: what was tried.
        where: the address, or what stands for it.
        what: how the application answered.
    """

    severity: Severity
    check: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.severity.name:<6}  {self.check}: {self.where}: {self.what}"


def report(findings: Sequence[Finding], tried: Counter[str]) -> list[str]:
    """PURE. How much each check tried, then the findings, the most severe first."""
    lines = [f"{number:6,} requests  {check}" for check, number in tried.items()]
    ordered = sorted(findings, key=lambda finding: (-finding.severity, finding.check, finding.where))
    counts = Counter(finding.severity for finding in findings)
    total = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in reversed(Severity))
    return [*lines, "", *map(str, ordered), f"Findings: {total}."]


def fails(findings: Sequence[Finding]) -> bool:
    """PURE. Whether any finding is of medium severity or more."""
    return any(finding.severity >= Severity.MEDIUM for finding in findings)
