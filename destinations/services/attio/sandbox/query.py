"""Filters and sorts the records of a query."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import ApiError
from destinations.services.attio.sandbox.store import Record, Store

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.schema import Attribute

Test = Callable[[Record], bool]

_TEXT = ("$eq", "$contains", "$starts_with", "$ends_with", "$not_empty")
_ORDER = ("$eq", "$lt", "$lte", "$gt", "$gte", "$not_empty")
_EXACT = ("$eq", "$not_empty")
_EMAIL_PROPERTIES = (
    "email_address",
    "original_email_address",
    "email_domain",
    "email_root_domain",
    "email_local_specifier",
)
_LOCATION_PROPERTIES = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
)
# For each type: the property that the short form compares, all properties that can be filtered, the operators.
_RULES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "text": ("value", ("value",), (*_TEXT, "$in")),
    "number": ("value", ("value",), _ORDER),
    "rating": ("value", ("value",), _ORDER),
    "date": ("value", ("value",), _ORDER),
    "timestamp": ("value", ("value",), _ORDER),
    "checkbox": ("value", ("value",), _EXACT),
    "currency": ("currency_value", ("currency_value", "currency_code"), _ORDER),
    "domain": ("domain", ("domain", "root_domain"), _TEXT),
    "email-address": ("email_address", _EMAIL_PROPERTIES, _TEXT),
    "phone-number": ("phone_number", ("phone_number", "country_code"), _TEXT),
    "personal-name": ("full_name", ("first_name", "last_name", "full_name"), _TEXT),
    "location": ("locality", _LOCATION_PROPERTIES, _TEXT),
    "select": ("option", ("option",), _EXACT),
    "status": ("status", ("status",), _EXACT),
    "record-reference": ("target_record_id", ("target_object", "target_record_id"), _EXACT),
    "actor-reference": ("referenced_actor_id", ("referenced_actor_type", "referenced_actor_id"), _EXACT),
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$contains": lambda stored, operand: str(operand).lower() in str(stored).lower(),
    "$starts_with": lambda stored, operand: str(stored).lower().startswith(str(operand).lower()),
    "$ends_with": lambda stored, operand: str(stored).lower().endswith(str(operand).lower()),
    "$in": lambda stored, operand: stored in operand,
}


def find_records(store: Store, filter_: Any) -> Iterable[Record]:
    """The records that match a filter, in the order of their creation.

    Raises:
        ApiError: the filter is malformed.
    """
    if filter_ in (None, {}):
        return store.records.values()
    test = _compile(store, filter_)
    candidates = _candidates(store, filter_)
    records = store.records.values() if candidates is None else sorted(candidates, key=lambda record: record.created_at)
    return (record for record in records if test(record))


def sort_records(store: Store, records: list[Record], sorts: Any) -> list[Record]:
    """The records in the requested order; records without a value come last.

    Raises:
        ApiError: the order is malformed.
    """
    for sort in reversed(sorts if isinstance(sorts, list) else []):
        name = sort.get("attribute") if isinstance(sort, dict) else None
        if not name or sort.get("direction") not in ("asc", "desc"):
            raise ApiError("missing_sort_field", "Each sort needs a direction and an attribute.")
        attribute = _attribute(store, name)
        part = sort.get("field") or _rule(attribute)[0]
        with_value = [record for record in records if record.data(attribute.slug)]
        with_value.sort(
            key=lambda record: _sort_key(record.data(attribute.slug)[0].get(part)), reverse=sort["direction"] == "desc"
        )
        records = with_value + [record for record in records if not record.data(attribute.slug)]
    return records


def _sort_key(value: Any) -> tuple[int, Any]:
    return (0, value) if isinstance(value, int | float) else (1, str(value))


def _compile(store: Store, filter_: Any) -> Test:
    """The filter as a function. All of its entries must match."""
    if not isinstance(filter_, dict) or not filter_:
        raise ApiError("filter_error", "A filter must be an object with at least one condition.")
    tests = [_compile_entry(store, name, inner) for name, inner in filter_.items()]
    return lambda record: all(test(record) for test in tests)


def _compile_entry(store: Store, name: str, inner: Any) -> Test:
    if name in ("$and", "$or"):
        if not isinstance(inner, list) or not inner:
            raise ApiError("filter_error", f"{name} takes a list of filters.")
        if name == "$or":
            return _any(store, inner)
        tests = [_compile(store, item) for item in inner]
        return lambda record: all(test(record) for test in tests)
    if name == "$not":
        test = _compile(store, inner)
        return lambda record: not test(record)
    if name.startswith("$"):
        raise ApiError("invalid_filter_operator", f'Unknown operator "{name}".')
    return _condition(_attribute(store, name), inner)


def _any(store: Store, items: list[Any]) -> Test:
    """At least one of the filters. All values that one property may equal are tested at once: there may be hundreds."""
    tests, equal = [], defaultdict[tuple[str, str], set[Any]](set)
    for item in items:
        conditions = [
            (attribute.slug, *condition)
            for name, inner in (item.items() if isinstance(item, dict) else ())
            if not name.startswith("$") and (attribute := _attribute(store, name))
            for condition in _conditions(attribute, inner)
        ]
        match conditions:
            case [(slug, part, "$eq", str() | int() | float() as operand)] if len(item) == 1:
                equal[slug, part].add(operand)
            case _:
                tests.append(_compile(store, item))

    def holds_any(record: Record) -> bool:
        held = ((data, part, values) for (slug, part), values in equal.items() for data in record.data(slug))
        return any(_comparable(data.get(part)) in values for data, part, values in held) or any(
            test(record) for test in tests
        )

    return holds_any


def _condition(attribute: Attribute, inner: Any) -> Test:
    tests = [_comparison(attribute, *condition) for condition in _conditions(attribute, inner)]
    return lambda record: all(test(record) for test in tests)


def _conditions(attribute: Attribute, inner: Any) -> list[tuple[str, str, Any]]:
    """Conditions on one attribute, in the short form or the long one, each as property, operator and operand."""
    default, properties, operators = _rule(attribute)
    if not isinstance(inner, dict):
        inner = {default: {"$eq": inner}}
    elif all(key.startswith("$") for key in inner):
        inner = {default: inner}
    conditions = []
    for part, comparisons in inner.items():
        if part not in properties:
            raise ApiError(
                "invalid_filter_field", f'Invalid field "{part}" for attribute with slug "{attribute.slug}".'
            )
        for sign, operand in (comparisons if isinstance(comparisons, dict) else {"$eq": comparisons}).items():
            if sign not in operators:
                raise ApiError(
                    "invalid_filter_operator", f'Operator "{sign}" is not supported by the type {attribute.type}.'
                )
            caseless = attribute.type in ("domain", "email-address") and isinstance(operand, str)
            conditions.append((part, sign, operand.lower() if caseless else operand))
    return conditions


def _comparison(attribute: Attribute, part: str, sign: str, operand: Any) -> Test:
    if sign == "$not_empty":
        return lambda record: bool(record.data(attribute.slug)) is bool(operand)
    compare = _COMPARE[sign]
    return lambda record: any(
        _compares(compare, _comparable(data.get(part)), operand) for data in record.data(attribute.slug)
    )


def _compares(compare: Callable[[Any, Any], bool], stored: Any, operand: Any) -> bool:
    try:
        return stored is not None and compare(stored, operand)
    except TypeError:
        return False


def _comparable(stored: Any) -> Any:
    return stored["title"] if isinstance(stored, dict) else stored


def _attribute(store: Store, name: str) -> Attribute:
    attribute = store.schema.find(name)
    if attribute is None or attribute.archived:
        raise ApiError("unknown_filter_attribute_slug", f'Unknown attribute slug: "{name}".')
    return attribute


def _rule(attribute: Attribute) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    if attribute.type not in _RULES:
        raise ApiError("filter_error", f"Attributes of the type {attribute.type} can't be filtered.")
    return _RULES[attribute.type]


def _candidates(store: Store, filter_: Mapping[str, Any]) -> list[Record] | None:
    """The records that may match the filter, from the index of unique values; None if the index can't narrow it down.

    Without the index, a lookup of 50 domains would test 20,000 companies against 50 clauses each. A condition on a
    unique attribute has at most one candidate, and an $or of such conditions has one per clause.
    """
    for name, inner in filter_.items():
        if name == "$or":
            parts = [_candidates(store, item) for item in inner]
            if all(part is not None for part in parts):
                return list({record.id: record for part in parts for record in part or ()}.values())
        elif not name.startswith("$"):
            owner = _unique_owner(store, _attribute(store, name), inner)
            if owner is not None:
                return owner
    return None


def _unique_owner(store: Store, attribute: Attribute, inner: Any) -> list[Record] | None:
    """The record with this unique value, as a list of none or one; None if the condition is not on a unique value."""
    default = _rule(attribute)[0]
    for key in (default, "$eq"):
        if isinstance(inner, dict):
            inner = inner.get(key, inner)
    if not attribute.unique or not isinstance(inner, str | int | float):
        return None
    value = inner.lower() if attribute.type in ("domain", "email-address") and isinstance(inner, str) else inner
    record = store.owner(attribute, {"value": value})
    return [record] if record else []
