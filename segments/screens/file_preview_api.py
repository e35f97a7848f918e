"""The live preview of a file source: what the settings in its form make of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.urls import path
from rest_framework.response import Response

from core.errors import Misconfigured
from core.parameters import clean
from core.web.api.schema import described
from core.web.endpoints import Endpoint
from segments.models import Source
from segments.registry import engines
from segments.screens.answers import segments as answers
from segments.screens.record_values import PERMISSION
from segments.screens.source_api import rows_json
from segments.sources import file_preview

if TYPE_CHECKING:
    from rest_framework.request import Request

LISTED = 20


class FilePreview(Endpoint):
    """POST `engine`, `timezone` and `settings` of a file source: its columns, first rows, misfits and bad lines."""

    permissions = ("segments.view_source", "segments.view_datamodel", PERMISSION)

    @described(answers.FileAnswer, body=answers.FileBody)
    def post(self, request: Request) -> Response:
        if not any(request.user.has_perm(f"segments.{verb}_source") for verb in ("add", "change")):
            raise PermissionDenied
        preview = file_preview.preview(_unsaved(request))
        return Response(
            {
                "types": {info.name: str(info.type) for info in preview.infos},
                **rows_json(preview.rows),
                "misfits": [misfit.message for misfit in preview.misfits],
                "skipped": preview.skipped.count,
                "bad_lines": [line.message for line in preview.skipped.first[:LISTED]],
            }
        )


def _unsaved(request: Request) -> Source:
    """The source that the form describes. Raises Misconfigured if it is not a file source, or a setting is invalid."""
    slug, given = str(request.data.get("engine") or ""), request.data.get("settings")
    engine = engines.all.get(slug)
    if engine is None or not engine.endings or not isinstance(given, dict):
        raise Misconfigured("engine_unknown", "Only files can be previewed before the source is saved.", where="engine")
    config: dict[str, Any] = clean(engine.parameters, given)[0]
    return Source(engine=slug, timezone=str(request.data.get("timezone") or "UTC"), config=config)


urlpatterns = [path("sources/preview/", FilePreview.as_view(), name="file-preview")]
