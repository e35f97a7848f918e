"""How this room is called on the screens, and whose memory its batches take."""

import pyarrow as pa
from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Data"

    def ready(self) -> None:
        # Arrow's own allocator keeps what was freed: some 15 MB of each worker.
        pa.set_memory_pool(pa.system_memory_pool())
