"""URLs of the application."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from dinmo.audit.screens.history import history
from dinmo.docs import views as docs
from dinmo.start import alerts
from dinmo.start import views as start

handler400 = "dinmo.problems.bad_request"
handler403 = "dinmo.problems.permission_denied"
handler404 = "dinmo.problems.page_not_found"
handler500 = "dinmo.problems.server_error"
handler429 = "dinmo.accounts.entrance.lockout.too_many"
private = admin.site.admin_view
urlpatterns = [
    path("", private(start.home)),
    # Browsers request it for pages that name no icon, such as JSON.
    path("favicon.ico", RedirectView.as_view(url=static("dinmo/icon.svg"))),
    path("admin/docs/", private(docs.index), name="docs-index"),
    path("admin/docs/files/<path:path>", private(docs.picture), name="docs-picture"),
    path("admin/docs/<path:page>/", private(docs.page), name="docs"),
    path("admin/start/", private(start.index), name="start"),
    path("admin/start/again/", private(start.again), name="start-again"),
    path("admin/start/alerts/", private(alerts.answer), name="start-alerts"),
    path("admin/start/source/", private(start.source), name="start-source"),
    path("admin/start/rows/", private(start.choose_rows), name="start-rows"),
    path("admin/start/vendor/", private(start.vendor), name="start-vendor"),
    path("admin/start/demo/load/", private(start.load_demo), name="start-demo-load"),
    path("admin/start/demo/remove/", private(start.remove_demo), name="start-demo-remove"),
    # Before Django's own page of the same address.
    path("admin/<slug:app>/<slug:model>/<str:object_id>/history/", private(history)),
    path("", include("dinmo.accounts.urls")),
    path("admin/", admin.site.urls),
    path("api/", include("dinmo.api")),
]
