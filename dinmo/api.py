"""All JSON endpoints, under /api/."""

from __future__ import annotations

from activations.api import urlpatterns as activations
from destinations.api import urlpatterns as destinations
from segments.api import urlpatterns as segments

app_name = "api"
urlpatterns = [*segments, *destinations, *activations]
