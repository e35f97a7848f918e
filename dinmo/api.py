"""All JSON endpoints, under /api/."""

from __future__ import annotations

from activations import api as activations
from destinations import api as destinations
from segments import api as segments

app_name = "api"
urlpatterns = [*segments.urlpatterns, *destinations.urlpatterns, *activations.urlpatterns]
