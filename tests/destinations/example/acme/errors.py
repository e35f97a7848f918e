"""PURE. What Acme's errors mean for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from destinations.kit.answer import Failure
from destinations.kit.errors import ErrorTable, Next, Rule

if TYPE_CHECKING:
    from destinations.kit.answer import Answer

TABLE = ErrorTable(
    "Acme",
    (
        Rule(
            Next.SETTINGS,
            "Acme rejected the access token. Enter a new one in the connection.",
            401,
            where="token",
        ),
        Rule(
            Next.SETTINGS, "Acme has no such attribute. Add it there, or remove its mapping.", code="unknown_attribute"
        ),
        Rule(Next.SETTINGS, "A mapped attribute is read-only in Acme. Remove its mapping.", code="read_only"),
        Rule(Next.RECORD, "Another company in Acme has this value. Correct it in the source.", code="taken"),
    ),
)


def failure(answer: Answer) -> Failure:
    """The error in an answer: its code, message and field."""
    return Failure(
        answer,
        answer.text("error", "code"),
        answer.text("error", "message"),
        answer.text("error", "field"),
        noun="company",
        readable=isinstance(answer.body, dict),
    )
