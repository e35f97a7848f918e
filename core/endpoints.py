"""The frame of the JSON endpoints: who may ask, and Problems as answers."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Problem, Unavailable


class MayUse(BasePermission):
    """A staff user who has the endpoint's permissions, as in the admin."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return bool(user and user.is_active and user.is_staff and user.has_perms(view.permissions))


class Endpoint(APIView):  # type: ignore[misc, unused-ignore]
    """One address. `permissions` are Django's, e.g. `segments.view_source`; a Problem is answered in words."""

    permission_classes = [MayUse]
    permissions: ClassVar[tuple[str, ...]]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Problem):
            return Response({"code": exc.code, "message": exc.message}, status=503 if isinstance(exc, Unavailable) else 400)
        return super().handle_exception(exc)
