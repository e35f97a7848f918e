"""PURE. A vendor's error table: an ordered list of rules from an error to what happens next.

    TABLE = ErrorTable(
        "Acme",
        (
            Rule(Next.WAIT, "Acme is changing this record right now. It will be tried again.", code="locked"),
            Rule(Next.SETTINGS, "Acme has no attribute “{name}”.", message=r"no attribute '(?P<name>.+)'"),
        ),
    )

Rate limits, refused credentials, redirects, server errors and answers of gateways mean the same for every vendor and
need no rule. Any other error without a rule rejects the record if the request wrote one, and otherwise concerns the
settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.kit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from destinations.kit.answer import Answer, Failure

MESSAGE_LENGTH = 300
"""How much of a vendor's own words is shown, in characters."""


CREDENTIAL_STATUSES = (401, 402, 403)


class Next(StrEnum):
    """What happens after an error: this record is rejected, a person changes the settings, or the program waits."""

    RECORD = "record"
    SETTINGS = "settings"
    WAIT = "wait"


@dataclass(frozen=True)
class Rule:
    """One row of an error table. It applies if all of its conditions do; the first row that applies decides.

    Args:
        advice: what is wrong and what to do, for the user. It may contain the named groups of `message`.
        status, code: the exact values; 0 and "" allow any. A code may contain `*`, such as `invalid_filter*`.
        call: a regular expression for the complete call, such as `GET /companies.*`.
        message: a regular expression that finds a match in the vendor's own words.
        where: the setting to point the user to, if the vendor names no field.
        ambiguous: with WAIT, a write may have been processed nevertheless.
    """

    next: Next
    advice: str
    status: int = 0
    code: str = ""
    call: str = ""
    message: str = ""
    where: str = ""
    ambiguous: bool = False

    def match(self, failure: Failure) -> str | None:
        """The advice for this failure, or None if the rule does not apply."""
        if self.status not in (0, failure.answer.status) or not fnmatchcase(failure.code, self.code or "*"):
            return None
        if self.call and not re.fullmatch(self.call, failure.answer.call):
            return None
        if not self.message:
            return self.advice
        found = re.search(self.message, failure.message)
        return self.advice.format(**found.groupdict()) if found else None


def words(failure: Failure) -> str:
    """The vendor's own words without the values of the request."""
    return redacted(failure.message, failure.answer.sent)[:MESSAGE_LENGTH]


@dataclass(frozen=True)
class ErrorTable:
    """What a vendor's errors mean for a run.

    Args:
        vendor: the vendor's name, for the user.
        record: the advice for a record that is rejected without a rule.
        settings: the advice for any other request that is refused without a rule.
        credential: the setting that holds the credential. A 401, 402 or 403 without a rule points to it.
        intro: begins the message of a rejected record. `{noun}` is what the request writes.
        words: makes the vendor's own words safe to show.
    """

    vendor: str
    rules: tuple[Rule, ...]
    record: str = "Correct its values in the source."
    settings: str = ""
    credential: str = "token"
    intro: str = "{vendor} rejected this {noun}."
    words: Callable[[Failure], str] = words

    def problem(self, failure: Failure) -> Problem:
        """The problem to raise for a failure."""
        answer = failure.answer
        rule, advice = self._rule(failure)
        if answer.status == 429:
            return self._throttled(failure)
        if 300 <= answer.status < 400:
            return self._settings(failure, f"{self.vendor}'s API address answers with a redirect. Check the address.")
        # A 401 may come without a body. Any other answer that can't be read comes from a gateway, not from the API.
        if answer.status < 300 or answer.status >= 500 or (not failure.readable and answer.status != 401):
            processed = rule is None or rule.next is not Next.WAIT or rule.ambiguous
            return self._wait(failure, self._broken(answer), ambiguous=processed)
        if rule and rule.next is Next.WAIT:
            return self._wait(failure, advice, ambiguous=rule.ambiguous)
        if rule and rule.next is Next.SETTINGS:
            return self._settings(failure, advice, rule.where)
        return self._default(failure) if rule is None else self._rejected(failure, advice)

    def unusable(self, answer: Answer) -> Unavailable:
        """The problem with a success that lacks what belongs to it."""
        return Unavailable(
            "unusable_answer",
            f"{self.vendor}'s response could not be read. The request will be tried again.",
            detail=_detail(answer),
            retry_after=answer.retry_after,
            ambiguous=answer.writing,
        )

    def _rule(self, failure: Failure) -> tuple[Rule | None, str]:
        for rule in self.rules:
            advice = rule.match(failure)
            if advice is not None:
                return rule, advice
        return None, ""

    def _default(self, failure: Failure) -> Problem:
        """An unknown error of a write concerns that record. Any other request concerns many records, or none."""
        if failure.status in CREDENTIAL_STATUSES:
            return self._settings(failure, self._credential(failure.status), self.credential)
        if failure.answer.record:
            return self._rejected(failure, self.record)
        advice = self.settings or (
            f"{self.vendor} rejected a request that is not about a single record. Check the connection and the mapping."
        )
        return self._settings(failure, advice)

    def _credential(self, status: int) -> str:
        if status == 401:
            return f"{self.vendor} rejected the credential. Enter a new one in the connection."
        return f"The credential does not allow this at {self.vendor}. Give it the permission, or check the plan."

    def _throttled(self, failure: Failure) -> Unavailable:
        code = failure.code or "rate_limit_exceeded"
        return Unavailable(
            code,
            f"{self.vendor}'s rate limit is reached. The request will be sent again when the limit allows. ({code})",
            detail=_detail(failure.answer, failure.code),
            retry_after=failure.answer.retry_after,
            throttled=True,
        )

    def _broken(self, answer: Answer) -> str:
        if answer.status < 500:
            return f"{self.vendor}'s response could not be read. The request will be tried again."
        return f"{self.vendor} has an internal error. The request will be tried again."

    def _wait(self, failure: Failure, advice: str, *, ambiguous: bool) -> Unavailable:
        answer = failure.answer
        code = failure.code or ("unusable_answer" if answer.status < 300 else failure.name)
        return Unavailable(
            code,
            " ".join([advice, *self._vendor_words(failure), f"({code})"]),
            detail=_detail(answer, failure.code),
            retry_after=answer.retry_after,
            ambiguous=answer.writing and ambiguous,
        )

    def _settings(self, failure: Failure, advice: str, where: str = "") -> Misconfigured:
        detail = _detail(failure.answer, failure.code)
        return Misconfigured(failure.name, self._message(failure, advice), detail=detail, where=failure.field or where)

    def _rejected(self, failure: Failure, advice: str) -> Rejected:
        intro = self.intro.format(vendor=self.vendor, noun=failure.noun)
        return Rejected(
            failure.name,
            self._message(failure, f"{intro} {advice}".strip()),
            detail=_detail(failure.answer, failure.code),
            field=failure.field,
            request_id=failure.answer.request_id,
        )

    def _message(self, failure: Failure, advice: str) -> str:
        code = failure.vendor_code or failure.name
        return " ".join([advice, *failure.specifics, *self._vendor_words(failure), f"({code})"])

    def _vendor_words(self, failure: Failure) -> Iterator[str]:
        if shown := self.words(failure):
            yield f"{self.vendor}'s message: {shown}"


def _detail(answer: Answer, code: str = "") -> str:
    request = f", request {answer.request_id}" if answer.request_id else ""
    return f"{answer.call} HTTP {answer.status} {code}".strip() + request
