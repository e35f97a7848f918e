"""The Django app: its name on the screens, and the memory allocator of Arrow."""

import pyarrow as pa
from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "segments"
    verbose_name = "Data"

    def ready(self) -> None:
        # Arrow's own allocator does not return freed memory to the system: about 15 MB in each worker.
        pa.set_memory_pool(pa.system_memory_pool())
