"""Hidden records that are made visible: only by what the vendor has already, once, and only exact matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Problem, Rejected, Unavailable
from destinations.conformance.check import check, check_each, require
from destinations.conformance.expectations import expect
from destinations.contract import Verb

if TYPE_CHECKING:
    from destinations.conformance.sample import Attachable
    from destinations.conformance.subject import Subject
    from destinations.contract import Revealed


@check
def sample_shows_what_makes_hidden_records_visible(subject: Subject) -> None:
    reveals, attachable = subject.service.reveals, subject.sample.attachable
    require(reveals is not None or attachable is not None, "The service declares no `reveals`.")
    expect(
        reveals is not None and attachable is not None,
        "A service that declares `reveals` has a sample with `attachable`, and no other has one.",
    )
    assert reveals is not None
    assert attachable is not None
    expect(len(attachable.candidates) >= 2, "Give at least two candidates in `attachable`.")
    names = {field.name for field in reveals.found_by}
    unknown = {name for candidate in attachable.candidates for name in candidate} - names
    expect(not unknown, f"`attachable` finds by {sorted(unknown)}, which `reveals.found_by` doesn't list.")


@check
def hidden_record_becomes_visible(subject: Subject) -> None:
    _arrange(subject)
    known = subject.write(1)
    expect(known.hidden, "The vendor hides a record without anything attached. Set Outcome.hidden.")
    revealed = _reveal(subject, known.remote_id)
    expect(len(revealed.attached) == 1, f"at_most was 1, and reveal() attached {revealed.attached!r}.")
    again = subject.write_text(1, "Changed", Verb.UPDATE, remote_id=known.remote_id)
    expect(not again.hidden, "The record is still reported as hidden after reveal() attached something to it.")


@check
def no_more_are_attached_than_asked_for(subject: Subject) -> None:
    attachable = _arrange(subject)
    for at_most in (1, 2, len(attachable.candidates) + 1):
        known = subject.write(at_most)
        attached = _reveal(subject, known.remote_id, at_most=at_most).attached
        expected = min(at_most, len(attachable.candidates))
        expect(len(set(attached)) == expected, f"at_most was {at_most}, and reveal() attached {attached!r}.")


@check
def record_that_has_become_visible_is_left_as_it_is(subject: Subject) -> None:
    _arrange(subject)
    known = subject.write(1)
    _reveal(subject, known.remote_id)
    before = subject.sandbox.state()
    revealed = _reveal(subject, known.remote_id, is_hidden=False)
    expect(revealed.was_visible, "is_hidden was false and the record is visible. Set Revealed.was_visible.")
    expect(subject.sandbox.state() == before, "reveal() changed a record that had become visible.")


@check
def repeated_reveal_does_no_harm(subject: Subject) -> None:
    """The worker may have been killed before it recorded the answer."""
    _arrange(subject)
    known = subject.write(1)
    first = _reveal(subject, known.remote_id)
    before = subject.sandbox.state()
    again = _reveal(subject, known.remote_id)
    expect(again.attached == first.attached, f"The same call attached {first.attached!r}, then {again.attached!r}.")
    expect(subject.sandbox.state() == before, "The second of two equal calls changed something.")


@check
def unknown_candidate_attaches_and_creates_nothing(subject: Subject) -> None:
    attachable = _arrange(subject)
    known = subject.write(1)
    before = subject.sandbox.state()
    assert subject.service.reveals is not None
    nobody = [{field.name: attachable.unknown} for field in subject.service.reveals.found_by]
    revealed = subject.service.reveal(subject.client, known.remote_id, nobody, 1, is_hidden=True)
    expect(not revealed.attached, f"Nobody is called {attachable.unknown!r}, and {revealed.attached!r} was attached.")
    expect(subject.sandbox.state() == before, "reveal() changed something although no candidate exists.")


@check
def reveal_of_a_deleted_record_is_rejected(subject: Subject) -> None:
    known = subject.write(1)
    subject.start_over()
    _arrange(subject)
    problem = subject.problem(lambda: _reveal(subject, known.remote_id))
    expect(isinstance(problem, Rejected), f"The record doesn't exist, and reveal() raised {problem!r}.")


@check_each(401, 429, 500)
def failed_reveal_says_what_follows(subject: Subject, status: int) -> None:
    _arrange(subject)
    known = subject.write(1)
    subject.respond(status)
    problem = subject.problem(lambda: _reveal(subject, known.remote_id))
    kind = "misconfigured" if status == 401 else "unavailable"
    expect(
        isinstance(problem, Problem)
        and isinstance(problem, Unavailable) == (kind == "unavailable")
        and getattr(problem, "throttled", False) == (status == 429),
        f"reveal() was answered with {status} and raised {problem!r}. It is {kind}.",
    )


def _arrange(subject: Subject) -> Attachable:
    attachable = subject.sample.attachable
    require(subject.service.reveals is not None and attachable is not None, "The service declares no `reveals`.")
    assert attachable is not None
    subject.switch(attachable.arrange)
    return attachable


def _reveal(subject: Subject, remote_id: str, *, at_most: int = 1, is_hidden: bool = True) -> Revealed:
    assert subject.sample.attachable is not None
    candidates = subject.sample.attachable.candidates
    return subject.service.reveal(subject.client, remote_id, candidates, at_most, is_hidden=is_hidden)
