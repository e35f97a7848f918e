"""The headers and cookies of every kind of answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.scan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scan.site import Answer, Browser

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
PROBES = ("/healthz", "/readyz", "/metrics")
"""Answered before anything else, as plain text or JSON for programs. What browsers need is left out."""
KINDS = {
    "/": (200, 302),
    "/admin/": (200,),
    "/admin/login/": (200, 302),
    "/admin/audit/auditentry/": (200,),
    "/admin/activations/run/": (200,),
    "/admin/docs/operations/": (200,),
    "/admin/docs/files/pictures/overview.webp": (200,),
    "/api/issues/": (200,),
    "/api/schema/": (200,),
    "/api/runs/99999999/": (404,),
    "/api/nothing/": (404,),
    "/api/trigger/": (401,),
    "/static/dinmo/icon.svg": (200,),
    "/static/dinmo/screens.js": (200,),
    "/static/nothing.js": (404,),
    "/favicon.ico": (302,),
    "/no/such/page/": (404,),
    "/admin/activations/run/?name__regex=x": (302, 400),
    "/admin/%00": (400,),
    "/healthz": (200,),
    "/metrics": (403,),
}
"""An address of each kind, with the statuses that it may have."""


def check(admin: Browser, nobody: Browser, csv: list[str]) -> Iterator[Finding]:
    """Every kind of answer: pages, files, the API, downloads, redirects and errors.

    Args:
        csv: the addresses of downloads.
    """
    for path, statuses in {**KINDS, **dict.fromkeys(csv, (200,))}.items():
        yield from _verify(path, statuses, admin.get(path))
    yield from _verify("POST /admin/ without a token", (403,), admin.send("POST", "/admin/"))
    yield from _verify("PUT /admin/login/", (403, 405), nobody.send("PUT", "/admin/login/"))
    yield from _verify("DELETE /api/issues/", (403, 405), admin.call("DELETE", "/api/issues/", {}))
    yield from _verify("GET /admin/ without a login", (302,), nobody.get("/admin/"))
    yield from _verify("a host that is not allowed", (400,), nobody.get("/admin/", Host="evil.example"))
    yield from _cookies(nobody.get("/admin/login/"))


def _verify(where: str, statuses: tuple[int, ...], answer: Answer) -> Iterator[Finding]:
    def found(severity: Severity, what: str) -> Finding:
        return Finding(severity, "headers", where, what)

    if answer.status not in statuses:
        severity = Severity.MEDIUM if answer.status >= 500 else Severity.LOW
        yield found(severity, f"status {answer.status}, expected {statuses}")
    if "Server" in answer.headers and "/" in answer.headers["Server"]:
        yield found(Severity.LOW, f"names its version: {answer.headers['Server']}")
    if "Access-Control-Allow-Origin" in answer.headers:
        yield found(Severity.MEDIUM, "lets other origins read it")
    if where.startswith(PROBES):
        return
    for name, value in EVERYWHERE.items():
        if answer.headers.get(name) != value:
            yield found(Severity.MEDIUM, f"{name} is {answer.headers.get(name)!r}, expected {value!r}")
    policy = answer.headers.get("Content-Security-Policy", "")
    if "script-src 'self'" not in policy or "frame-ancestors 'none'" not in policy:
        yield found(Severity.MEDIUM, f"the content policy is {policy!r}")
    if answer.headers.get("Content-Type", "").startswith("text/html") and "/static/" not in where:
        yield from _not_kept(where, answer)


def _not_kept(where: str, answer: Answer) -> Iterator[Finding]:
    if answer.status == 200 and not {"no-store", "no-cache", "private"} & set(
        answer.headers.get("Cache-Control", "").replace(" ", "").split(",")
    ):
        yield Finding(Severity.LOW, "headers", where, "proxies may keep a page of a person")


def _cookies(answer: Answer) -> Iterator[Finding]:
    cookies = answer.cookies()
    if not cookies:
        yield Finding(Severity.LOW, "cookies", "/admin/login/", "sets none")
    for name, cookie in cookies.items():
        wanted = ["secure", "samesite"] + (["httponly"] if name == "sessionid" else [])
        for flag in wanted:
            if not cookie[flag]:
                yield Finding(Severity.MEDIUM, "cookies", name, f"without {flag}")
