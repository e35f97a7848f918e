"""All JSON endpoints, under /api/."""

from __future__ import annotations

from activations.screens.alerts.api import urlpatterns as warnings
from activations.screens.api import urlpatterns as activations
from activations.screens.attached.api import urlpatterns as attached
from activations.screens.drift.api import urlpatterns as drift
from activations.screens.editor.api import urlpatterns as editor
from activations.screens.holds.api import urlpatterns as holds
from activations.screens.pause_api import urlpatterns as pauses
from activations.screens.review.one_record import urlpatterns as review
from activations.screens.timeline.search_api import urlpatterns as search
from activations.screens.trigger_api import urlpatterns as trigger
from core.web.api.document import urlpatterns as schema
from destinations.api import urlpatterns as destinations
from dinmo.audit.screens.api import urlpatterns as audit
from segments.screens.computed_api import urlpatterns as computed
from segments.screens.file_preview_api import urlpatterns as file_preview
from segments.screens.segment_api import urlpatterns as segments
from segments.screens.source_api import urlpatterns as models

app_name = "api"
urlpatterns = [
    *search,
    *file_preview,
    *models,
    *computed,
    *segments,
    *destinations,
    *activations,
    *holds,
    *drift,
    *editor,
    *attached,
    *review,
    *trigger,
    *pauses,
    *warnings,
    *audit,
    *schema,
]
