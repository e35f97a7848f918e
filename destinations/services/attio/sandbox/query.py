"""Filters and sorts of record queries."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import Refusal
from destinations.services.attio.sandbox.store import Record, Store

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.schema import Attribute

Test = Callable[[Record], bool]

_TEXT = ("$eq", "$contains", "$starts_with", "$ends_with", "$not_empty")
_ORDER = ("$eq", "$lt", "$lte", "$gt", "$gte", "$not_empty")
_EXACT = ("$eq", "$not_empty")
# For each type: the property of the short form, the properties that may be asked for, the operators.
_RULES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "text": ("value", ("value",), (*_TEXT, "$in")),
    "number": ("value", ("value",), _ORDER),
    "rating": ("value", ("value",), _ORDER),
    "date": ("value", ("value",), _ORDER),
    "timestamp": ("value", ("value",), _ORDER),
    "checkbox": ("value", ("value",), _EXACT),
    "currency": ("currency_value", ("currency_value", "currency_code"), _ORDER),
    "domain": ("domain", ("domain", "root_domain"), _TEXT),
    "email-address": ("email_address", ("email_address", "original_email_address", "email_domain", "email_root_domain",
                                        "email_local_specifier"), _TEXT),
    "phone-number": ("phone_number", ("phone_number", "country_code"), _TEXT),
    "personal-name": ("full_name", ("first_name", "last_name", "full_name"), _TEXT),
    "location": ("locality", ("line_1", "line_2", "line_3", "line_4", "locality", "region", "postcode", "country_code"), _TEXT),
    "select": ("option", ("option",), _EXACT),
    "status": ("status", ("status",), _EXACT),
    "record-reference": ("target_record_id", ("target_object", "target_record_id"), _EXACT),
    "actor-reference": ("referenced_actor_id", ("referenced_actor_type", "referenced_actor_id"), _EXACT),
}  # fmt: skip
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$contains": lambda there, asked: str(asked).lower() in str(there).lower(),
    "$starts_with": lambda there, asked: str(there).lower().startswith(str(asked).lower()),
    "$ends_with": lambda there, asked: str(there).lower().endswith(str(asked).lower()),
    "$in": lambda there, asked: there in asked,
}


def matching(store: Store, asked: Any) -> Iterable[Record]:
    """The records that a filter lets through, in the order of their creation.

    Raises:
        Refusal: the filter is malformed.
    """
    if asked in (None, {}):
        return store.records.values()
    test = _test(store, asked)
    known = _known(store, asked)
    candidates = store.records.values() if known is None else sorted(known, key=lambda record: record.created_at)
    return (record for record in candidates if test(record))


def ordered(store: Store, records: list[Record], sorts: Any) -> list[Record]:
    """The records in the order that was asked for; empty values come last.

    Raises:
        Refusal: the order is malformed.
    """
    for sort in reversed(sorts if isinstance(sorts, list) else []):
        name = sort.get("attribute") if isinstance(sort, dict) else None
        if not name or sort.get("direction") not in ("asc", "desc"):
            raise Refusal("missing_sort_field", "Each sort needs a direction and an attribute.")
        attribute = _attribute(store, name)
        part = sort.get("field") or _rule(attribute)[0]
        held = [record for record in records if record.kept(attribute.slug)]
        held.sort(
            key=lambda record: _sortable(record.kept(attribute.slug)[0].get(part)), reverse=sort["direction"] == "desc"
        )
        records = held + [record for record in records if not record.kept(attribute.slug)]
    return records


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def _test(store: Store, asked: Any) -> Test:
    if not isinstance(asked, dict) or not asked:
        raise Refusal("filter_error", "A filter must be an object with at least one condition.")
    tests = [_one(store, name, inner) for name, inner in asked.items()]
    return lambda record: all(test(record) for test in tests)


def _one(store: Store, name: str, inner: Any) -> Test:
    if name in ("$and", "$or"):
        if not isinstance(inner, list) or not inner:
            raise Refusal("filter_error", f"{name} takes a list of filters.")
        tests = [_test(store, item) for item in inner]
        combine = all if name == "$and" else any
        return lambda record: combine(test(record) for test in tests)
    if name == "$not":
        test = _test(store, inner)
        return lambda record: not test(record)
    if name.startswith("$"):
        raise Refusal("invalid_filter_operator", f'Unknown operator "{name}".')
    return _condition(_attribute(store, name), inner)


def _condition(attribute: Attribute, inner: Any) -> Test:
    """A condition on one attribute, short or with properties and operators."""
    default, properties, operators = _rule(attribute)
    if not isinstance(inner, dict):
        inner = {default: {"$eq": inner}}
    elif all(key.startswith("$") for key in inner):
        inner = {default: inner}
    tests: list[Test] = []
    for part, wanted in inner.items():
        if part not in properties:
            raise Refusal("invalid_filter_field", f'Invalid field "{part}" for attribute with slug "{attribute.slug}".')
        for sign, value in (wanted if isinstance(wanted, dict) else {"$eq": wanted}).items():
            if sign not in operators:
                raise Refusal(
                    "invalid_filter_operator", f'Operator "{sign}" is not supported by the type {attribute.type}.'
                )
            tests.append(_comparison(attribute, part, sign, value))
    return lambda record: all(test(record) for test in tests)


def _comparison(attribute: Attribute, part: str, sign: str, asked: Any) -> Test:
    if sign == "$not_empty":
        return lambda record: bool(record.kept(attribute.slug)) is bool(asked)
    compare = _COMPARE[sign]
    if attribute.type in ("domain", "email-address") and isinstance(asked, str):
        asked = asked.lower()
    return lambda record: any(
        _compared(compare, _comparable(kept.get(part)), asked) for kept in record.kept(attribute.slug)
    )


def _compared(compare: Callable[[Any, Any], bool], there: Any, asked: Any) -> bool:
    try:
        return there is not None and compare(there, asked)
    except TypeError:
        return False


def _comparable(there: Any) -> Any:
    return there["title"] if isinstance(there, dict) else there


def _attribute(store: Store, name: str) -> Attribute:
    found = store.schema.find(name)
    if found is None or found.archived:
        raise Refusal("unknown_filter_attribute_slug", f'Unknown attribute slug: "{name}".')
    return found


def _rule(attribute: Attribute) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    if attribute.type not in _RULES:
        raise Refusal("filter_error", f"Attributes of the type {attribute.type} can't be filtered.")
    return _RULES[attribute.type]


def _known(store: Store, asked: Mapping[str, Any]) -> list[Record] | None:
    """The only records that can meet the filter, by the index of unique values; None where it doesn't tell."""
    for name, inner in asked.items():
        if name == "$or":
            parts = [_known(store, item) for item in inner]
            if all(part is not None for part in parts):
                return list({record.id: record for part in parts for record in part or ()}.values())
        elif not name.startswith("$"):
            found = _owned(store, _attribute(store, name), inner)
            if found is not None:
                return found
    return None


def _owned(store: Store, attribute: Attribute, inner: Any) -> list[Record] | None:
    default = _rule(attribute)[0]
    for key in (default, "$eq"):
        if isinstance(inner, dict):
            inner = inner.get(key, inner)
    if not attribute.unique or not isinstance(inner, str | int | float):
        return None
    text = inner.lower() if attribute.type in ("domain", "email-address") and isinstance(inner, str) else inner
    record = store.owner(attribute, {"value": text})
    return [record] if record else []
