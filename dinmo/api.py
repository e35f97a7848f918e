"""All JSON endpoints, under /api/."""

from __future__ import annotations

from activations.screens.api import urlpatterns as activations
from destinations.api import urlpatterns as destinations
from segments.api import urlpatterns as models
from segments.computed_api import urlpatterns as computed
from segments.segment_api import urlpatterns as segments

app_name = "api"
urlpatterns = [*models, *computed, *segments, *destinations, *activations]
