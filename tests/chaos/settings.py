"""The settings of the proof: those of the application, with one more vendor among its plug-ins."""

from pathlib import Path

import destinations.services
from dinmo.settings import *  # noqa: F403

# Plug-ins are discovered in the folders of this package. Appended, so that those of the application stay first.
destinations.services.__path__.append(str(Path(__file__).with_name("services")))
