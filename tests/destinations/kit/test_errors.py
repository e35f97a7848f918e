"""The error table: from an answer to what happens next, with words that contain no value of the record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.kit.answer import Answer, Failure
from destinations.kit.errors import ErrorTable, Next, Rule

TABLE = ErrorTable(
    "Acme",
    (
        Rule(Next.SETTINGS, "Acme rejected the token.", status=401, where="token"),
        Rule(Next.WAIT, "Acme is changing it.", code="locked"),
        Rule(Next.WAIT, "Acme gave up.", status=408, ambiguous=True),
        Rule(Next.SETTINGS, "Acme has no attribute {name!r}.", message=r"no attribute '(?P<name>\w+)'"),
        Rule(Next.SETTINGS, "Acme does not create fields.", code="forbidden", call=r"POST /fields"),
        Rule(Next.RECORD, "Shorten it.", status=413),
    ),
)


def failed(status: int, code: str = "", message: str = "", **kwargs: Any) -> Failure:
    readable = kwargs.pop("readable", True)
    given = {"call": "POST /companies", "writing": True, "record": True, "request_id": "req-1", **kwargs}
    return Failure(Answer(status=status, body={}, **given), code, message, readable=readable)


@pytest.mark.parametrize(
    ("failure", "kind", "code", "ambiguous"),
    [
        (failed(401, "expired"), Misconfigured, "expired", None),
        (failed(401, readable=False), Misconfigured, "http_401", None),
        (failed(409, "locked"), Unavailable, "locked", False),
        (failed(408), Unavailable, "http_408", True),
        (failed(408, writing=False), Unavailable, "http_408", False),
        (failed(503, "locked"), Unavailable, "locked", False),
        (failed(503), Unavailable, "http_503", True),
        (failed(403, readable=False), Unavailable, "http_403", True),
        (failed(204), Unavailable, "unusable_answer", True),
        (failed(102), Unavailable, "unusable_answer", True),
        (failed(302), Misconfigured, "http_302", None),
        (failed(429), Unavailable, "rate_limit_exceeded", False),
        (failed(413), Rejected, "http_413", None),
        (failed(422, "invalid"), Rejected, "invalid", None),
        (failed(422, "invalid", record=False, writing=False), Misconfigured, "invalid", None),
        (failed(403, "forbidden", call="POST /fields"), Misconfigured, "forbidden", None),
        (failed(403, "forbidden"), Misconfigured, "forbidden", None),
    ],
)
def test_answer_becomes_the_right_problem(
    failure: Failure, kind: type[Problem], code: str, ambiguous: bool | None
) -> None:
    problem = TABLE.problem(failure)
    assert type(problem) is kind
    assert problem.code == code
    assert problem.message.endswith(f"({code})")
    if isinstance(problem, Unavailable):
        assert problem.ambiguous is ambiguous
        assert problem.throttled is (failure.answer.status == 429)


def test_advice_names_what_the_vendor_names() -> None:
    problem = TABLE.problem(failed(400, "invalid", "There is no attribute 'seats' here."))
    assert problem.message == (
        "Acme has no attribute 'seats'. Acme's message: There is no attribute 'seats' here. (invalid)"
    )


def test_rejection_has_the_vendors_words_the_field_and_the_request_id() -> None:
    failure = Failure(
        Answer("POST /companies", 422, {}, request_id="req-1", record=True, sent={"name": "Quillfeather"}),
        "invalid",
        "Quillfeather is too odd",
        "name",
        noun="company",
    )
    problem = TABLE.problem(failure)
    assert isinstance(problem, Rejected)
    assert (problem.field, problem.request_id) == ("name", "req-1")
    assert problem.message == (
        "Acme rejected this company. Correct its values in the source. Acme's message: [value] is too odd (invalid)"
    )


def test_redirect_and_rejected_token_point_to_the_setting() -> None:
    problem = TABLE.problem(failed(401))
    assert isinstance(problem, Misconfigured)
    assert problem.where == "token"
    assert "redirect" in TABLE.problem(failed(307)).message


@given(st.integers(100, 599), st.text(max_size=8), st.text(max_size=30), st.booleans(), st.booleans())
def test_every_answer_becomes_a_problem(status: int, code: str, message: str, writing: bool, readable: bool) -> None:
    problem = TABLE.problem(failed(status, code, message, writing=writing, readable=readable))
    assert problem.code
    assert not (isinstance(problem, Unavailable) and problem.ambiguous and not writing)
