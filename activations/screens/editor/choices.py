"""The logos beside what the editor lets people choose: the source of each model and segment, and each destination."""

from __future__ import annotations

from typing import Any

from destinations.models import Destination
from segments.models import DataModel, Segment


def logos() -> dict[str, Any]:
    """The slugs whose logos the page needs, and which of them belongs to each choice."""
    models = dict(DataModel.objects.values_list("pk", "source__engine"))
    segments = Segment.objects.values_list("pk", "model_id")
    records = {f"model:{pk}": slug for pk, slug in models.items()}
    records |= {f"segment:{pk}": models[model] for pk, model in segments}
    destinations = {str(pk): slug for pk, slug in Destination.objects.values_list("pk", "service")}
    return {
        "logos_json": {"records": records, "destination": destinations},
        "source_logos": sorted(set(records.values())),
        "destination_logos": sorted(set(destinations.values())),
    }
