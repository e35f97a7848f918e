"""URLs of the application."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from dinmo.docs import views as docs

handler400 = "dinmo.problems.bad_request"
handler404 = "dinmo.problems.page_not_found"
handler500 = "dinmo.problems.server_error"
private = admin.site.admin_view
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # Browsers request it for pages that name no icon, such as JSON.
    path("favicon.ico", RedirectView.as_view(url=static("dinmo/icon.svg"))),
    path("admin/docs/", private(docs.index), name="docs-index"),
    path("admin/docs/files/<path:path>", private(docs.picture), name="docs-picture"),
    path("admin/docs/<path:page>/", private(docs.page), name="docs"),
    path("admin/", admin.site.urls),
    path("api/", include("dinmo.api")),
]
