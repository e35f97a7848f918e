"""Headers that limit what a browser does with the pages. Loaded by the Django settings, so it imports no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # No page has a script in its markup, so none needs a nonce. Unfold's build of Alpine compiles the expressions
        # in attributes with `new Function`, which is what 'unsafe-eval' allows.
        "script-src": [SELF, UNSAFE_EVAL],
        "script-src-attr": [NONE],
        "style-src": [SELF],
        # Attributes only: the widths of bars, and what Alpine shows and hides.
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
REFUSED_FEATURES = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
)
"""Abilities of browsers that no page uses. The clipboard is not among them."""
OTHER_HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in REFUSED_FEATURES),
    "Cross-Origin-Resource-Policy": "same-origin",
    # Django's own middleware comes later, and does not see what is answered before it: files, and refused requests.
    "X-Frame-Options": "DENY",
}


class OtherHeaders:
    """Middleware for the headers that neither Django nor django-csp sets."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in OTHER_HEADERS.items():
            response.headers.setdefault(name, value)
        return response
