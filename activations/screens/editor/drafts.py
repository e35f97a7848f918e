"""Drafts of the editor: what a person has entered and not saved, stored while they type, and restored later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from rest_framework.response import Response

from activations.models import Activation, Draft
from activations.screens.answers import editor as answers
from core.errors import Misconfigured
from core.web.api.schema import described
from core.web.endpoints import Endpoint, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from rest_framework.request import Request

MOST_FIELDS = 5_000
MOST_CHARACTERS = 10_000
"""Of one value. Longer ones are no entry of a person."""
MOST_TOTAL = 300_000
"""Characters of a whole draft. The list of activations reads all drafts of a person."""
MOST_DRAFTS = 50
"""Of one person. One more replaces the oldest."""
LATEST = "latest"
"""In an address, instead of an ID: the latest draft for the data and the destination in the same address."""


def opened(request: HttpRequest, activation: Activation | None) -> Draft | None:
    """The person's draft that the page continues: of a saved activation, or the one that the address names."""
    own = Draft.objects.filter(owner=request.user.pk, activation=activation)
    if activation:
        return own.first()
    wanted = request.GET.get("draft")
    if wanted == LATEST:
        return next((draft for draft in own if _fits(draft.data, request.GET)), None)
    return own.filter(pk=number(wanted)).first()


def listed(request: HttpRequest) -> list[Draft]:
    """The person's drafts of new activations, the latest first."""
    return list(Draft.objects.filter(owner=request.user.pk, activation=None))


def delete_saved(request: HttpRequest, activation: Activation | None) -> None:
    """Deletes the person's draft of what was just saved."""
    own = Draft.objects.filter(owner=request.user.pk, activation=activation)
    (own if activation else own.filter(pk=number(request.POST.get("draft")))).delete()


def fields_of(draft: Draft) -> QueryDict:
    """The fields of a draft as a form takes them."""
    data = QueryDict(mutable=True)
    for name, values in draft.data.items():
        data.setlist(name, values)
    return data


def parsed(data: Any) -> dict[str, list[str]]:
    """PURE. The fields of a request: each name with the list of its values.

    Raises:
        Misconfigured: they have a different shape, or are too many.
    """
    problem = Misconfigured("draft_invalid", "The entries can't be stored. Save the activation instead.")
    if not isinstance(data, dict) or len(data) > MOST_FIELDS:
        raise problem
    for values in data.values():
        if not isinstance(values, list) or not all(
            isinstance(value, str) and len(value) <= MOST_CHARACTERS for value in values
        ):
            raise problem
    if sum(len(name) + sum(map(len, values)) + len(values) for name, values in data.items()) > MOST_TOTAL:
        raise problem
    return {name: values for name, values in data.items() if name != "csrfmiddlewaretoken"}


class DraftStore(Endpoint):
    """POST `data`, and `activation` or `draft` if there is one: stores what a person has entered. Returns its ID."""

    permissions = ("activations.view_activation",)

    @described(answers.DraftAnswer, body=answers.DraftBody)
    def post(self, request: Request) -> Response:
        data = parsed(request.data.get("data"))
        activation = _activation(request.data)
        may = "change" if activation else "add"
        if not request.user.has_perm(f"activations.{may}_activation"):
            self.permission_denied(request)
        draft = _current(request, activation) or Draft(owner_id=request.user.pk, activation=activation)
        draft.data = data
        draft.save()
        _delete_oldest(request.user.pk)
        return Response({"draft": draft.pk, "updated_at": draft.updated_at})


class DraftRow(Endpoint):
    """DELETE discards a draft of the person."""

    permissions = ("activations.view_activation",)

    @described(None, status=204)
    def delete(self, request: Request, pk: int) -> Response:
        get_object_or_404(Draft, pk=pk, owner=request.user.pk).delete()
        return Response(status=204)


def _fits(entered: Mapping[str, list[str]], address: Mapping[str, str]) -> bool:
    """PURE. Whether a draft is for the data and the destination in an address."""
    return all(entered.get(name) == [address.get(name)] for name in ("records", "destination"))


def _activation(data: Mapping[str, Any]) -> Activation | None:
    given = number(data.get("activation"))
    return get_object_or_404(Activation, pk=given) if given else None


def _current(request: Request, activation: Activation | None) -> Draft | None:
    own = Draft.objects.filter(owner=request.user.pk, activation=activation)
    return own.first() if activation else own.filter(pk=number(request.data.get("draft"))).first()


def _delete_oldest(owner: int) -> None:
    kept = Draft.objects.filter(owner=owner).order_by("-updated_at").values_list("pk", flat=True)
    Draft.objects.filter(pk__in=list(kept[MOST_DRAFTS:])).delete()
