"""The roof: settings, URLs, the workspace file and the one-machine runtime."""

from dinmo.celery import app as celery_app

__all__ = ["celery_app"]
