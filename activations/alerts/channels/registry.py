"""The channels by slug: every module of this room that exports `CHANNEL`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cached_property

from activations.alerts.channels.contract import Channel
from core.plugins import Registry, refuse_duplicates


class Channels(Registry[Channel]):
    """The channels by slug. Unlike engines, each is a single module."""

    @cached_property
    def all(self) -> dict[str, Channel]:
        root = importlib.import_module(self.package)
        modules = [
            importlib.import_module(f"{self.package}.{info.name}") for info in pkgutil.iter_modules(root.__path__)
        ]
        found = [getattr(module, self.attribute) for module in modules if hasattr(module, self.attribute)]
        refuse_duplicates(found)
        return {channel.slug: channel for channel in found}


channels = Channels("activations.alerts.channels", "CHANNEL", "channel")
