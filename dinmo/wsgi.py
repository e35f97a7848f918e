"""The WSGI application, loaded as a whole before the first request."""

from __future__ import annotations

import atexit
import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from dinmo.monitoring import tracing
from dinmo.security.startup import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dinmo.settings")

# Before the middleware is loaded, to which it adds its own.
tracing.begin()
application = get_wsgi_application()
refuse_unsafe_start()
# Otherwise, the first request imports every page.
import_module(settings.ROOT_URLCONF)
# What is loaded stays. Otherwise, each full garbage collection traverses all of it, in the middle of a request.
gc.collect()
gc.freeze()
# At the end, modules of libraries are released as usual: some complain about what is left.
atexit.register(gc.unfreeze)
