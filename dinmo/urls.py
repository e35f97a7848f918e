"""URLs of the application."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

handler400 = "dinmo.problems.bad_request"
handler404 = "dinmo.problems.page_not_found"
handler500 = "dinmo.problems.server_error"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/", include("dinmo.api")),
]
