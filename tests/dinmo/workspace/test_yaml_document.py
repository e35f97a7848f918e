"""The YAML of a workspace file: words, lines and variables, and no text that leads to a traceback."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from dinmo.workspace.kinds import yaml_values
from dinmo.workspace.problems import Problems, Refused
from dinmo.workspace.yaml_document import Node, parse

LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LOOKALIKES = st.sampled_from(
    [
        "NO",
        "yes",
        "1e3",
        "0o17",
        "0x1F",
        "1_000",
        "2026-01-01",
        "12:30",
        ".inf",
        "~",
        "<<",
        "=",
        "- a",
        "a: b",
        "#c",
        "null",
        "+1",
        "1.",
        "${A}",
        "$${A}",
        "$$${",
        "a\n",
        "a\n\n",
        "\n",
        " a",
        "a ",
        "a\tb",
        "select *\n  from x\n\nwhere a = 'b' -- c\n",
    ]
)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | LETTERS | LOOKALIKES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(LETTERS, inner, max_size=4),
    max_leaves=10,
)


def read(text: str, environment: dict[str, str]) -> Node:
    problems = Problems()
    tree = parse(text, environment, problems)
    problems.raise_if_any()
    return tree


def plain(text: str, **environment: str) -> Any:
    return read(text, environment).plain()


def refusals(text: str, **environment: str) -> list[tuple[int, str]]:
    with pytest.raises(Refused) as refused:
        read(text, environment)
    return [(problem.line, problem.sentence) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("~", None),
        ("", None),
        ("12", 12),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ('"12"', "12"),
        ("!!str 12", "12"),
    ],
)
def test_words_are_resolved_by_yaml_1_2(written: str, meant: Any) -> None:
    assert plain(f"key: {written}") == {"key": meant}


def test_directive_of_yaml_1_1_changes_nothing() -> None:
    assert plain("%YAML 1.1\n---\ncountry: NO") == {"country": "NO"}


def test_every_key_and_item_has_its_line() -> None:
    tree = read("a:\n  - 1\n  -\n    b: 2\nc: {d: 3}\n", {})

    def lines(node: Node) -> Any:
        if isinstance(node.value, dict):
            return node.line, {key: lines(child) for key, child in node.value.items()}
        return (node.line, [lines(child) for child in node.value]) if isinstance(node.value, list) else node.line

    assert lines(tree) == (1, {"a": (1, [2, (4, {"b": 4})]), "c": (5, {"d": 5})})


def test_variables_are_replaced_anywhere_in_a_text() -> None:
    assert plain('a: "${ONE}"\nb: x-${ONE}-${TWO}\nc: ["${TWO}"]', ONE="1", TWO="true") == {
        "a": "1",
        "b": "x-1-true",
        "c": ["true"],
    }


def test_doubled_dollar_is_a_literal_one() -> None:
    assert plain('a: "$${ONE} costs $5"', ONE="1") == {"a": "${ONE} costs $5"}


def test_each_missing_variable_is_reported_with_its_line() -> None:
    reported = refusals('a: "${ONE}"\nb:\n  - "${TWO}"\n')
    assert [line for line, _ in reported] == [1, 3]
    assert "'ONE' is not set" in reported[0][1]
    assert "'TWO' is not set" in reported[1][1]


def test_duplicate_key_is_reported_at_its_second_line() -> None:
    assert refusals("a: 1\nb: 2\na: 3") == [(3, "The key 'a' appears twice in this block.")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\n", 3),
        ("a: 1\n\tb: 2", 2),
        ("a: 1\n---\nb: 2", 2),
        ("a: *nobody", 1),
        ("a: &loop [*loop]", 1),
        ("a: 1\nb: !!python/object:os.system x", 2),
        ("a: 1\nb: !!binary aGk=", 2),
        ("[" * 500, 1),
        ("a: " + "9" * 5000, 1),
        ("a: 1\nb: .nan", 2),
        ("a: 1e999", 1),
        ('a: "\\0"', 1),
        ('a: "\\ud800"', 1),
        ("a: \x00", 1),
        ("? [a]\n: 1", 1),
        ("%YAML 3.1\n---\na: 1", 1),
    ],
)
def test_unusable_yaml_is_reported_with_its_line(text: str, line: int) -> None:
    assert refusals(text)[0][0] == line


def test_aliases_that_multiply_are_refused() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert "repeats too much" in refusals(text)[0][1]


def test_aliases_that_nest_are_refused() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 500))
    assert "nested too deeply" in refusals(text)[0][1]


@settings(max_examples=150, deadline=None)
@given(st.text() | st.text("[]{}:-,&*!|>'\"%@`#?~<=\n\t ab1$\\", max_size=60))
def test_no_text_leads_to_a_traceback(text: str) -> None:
    try:
        read(text, {})
    except Refused as refused:
        assert all(problem.line >= 1 and problem.sentence for problem in refused.problems)


@settings(max_examples=150, deadline=None)
@given(VALUES, st.booleans())
def test_every_value_is_read_back_unchanged(value: Any, flow: bool) -> None:
    written = CommentedMap(key=yaml_values.as_yaml(value))
    if flow:
        written.fa.set_flow_style()
    out = StringIO()
    YAML().dump(written, out)
    assert repr(plain(out.getvalue())) == repr({"key": value})
