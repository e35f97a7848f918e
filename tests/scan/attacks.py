"""The findings of an earlier attack, tried again in other places and spellings. Each check is one function."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from tests.dinmo.attacks import filled, patterns
from tests.scan.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.scan.installation import Installation
    from tests.scan.site import Answer, Browser

OPEN_TO_ALL = (
    "/admin/login/", "/accounts/", "/setup/", "/favicon.ico", "/static/", "/healthz", "/readyz",
)  # fmt: skip
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
EVIL = "evil.example"
TARGETS = (
    f"https://{EVIL}/", f"//{EVIL}/", f"///{EVIL}/", rf"/\{EVIL}/", rf"\\{EVIL}/", f"https:{EVIL}", f"/%09/{EVIL}",
    f"/\t/{EVIL}", f"http:///{EVIL}", f"https://127.0.0.1@{EVIL}/", f"https://127.0.0.1.{EVIL}/", "javascript:alert(1)",
    f"%68ttps://{EVIL}/", f"/admin/%0d%0aLocation: https://{EVIL}/",
)  # fmt: skip
FILES = (
    "../../etc/passwd", "/etc/passwd", "....//....//etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc/passwd",
    "..\\..\\etc\\passwd", "\\\\host\\share\\x.csv", "file:///etc/passwd", "http://127.0.0.1:1/x.csv", "s3://bucket/x.csv",
    "away.csv", "away/passwd", "/proc/self/environ", "/dev/zero", "x.csv\0.txt", "~/.ssh/id_rsa", "*", "/etc/pass*",
)  # fmt: skip
STATIC = (
    "/static/../dinmo/settings.py", "/static/%2e%2e/dinmo/settings.py", "/static/..%2f..%2fdinmo/settings.py",
    "/static//etc/passwd", "/static/%2fetc/passwd", "/static/..\\dinmo\\settings.py",
    "/admin/docs/files/../settings.py", "/admin/docs/files/%2e%2e/dinmo/settings.py", "/admin/docs/files//etc/passwd",
    "/admin/docs/files/..%2fdinmo%2fsettings.py", "/admin/docs/..%2f..%2fREADME/", "/admin/docs/../SECURITY/",
)  # fmt: skip
CONTENTS = ("root:", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "INSTALLED_APPS", "BEGIN OPENSSH")
STATEMENTS = (
    "select 1; drop table companies", "attach database '/etc/passwd' as x", "select load_extension('x')",
    "select readfile('/etc/passwd')", "pragma writable_schema=on", "select * from read_csv('/etc/passwd')",
    "with x as (delete from companies returning *) select * from x", "copy companies to '/tmp/x'",
    "select pg_read_file('/etc/passwd')", "install httpfs", "select 1 /*", "select hex(zeroblob(2000000000))",
    "with recursive r(n) as (select 1 union all select n + 1 from r) select * from r",
)  # fmt: skip
TABLES = ('companies"; drop table companies; --', "companies' or '1'='1", "companies; select 1", "main.companies x, x",
          "(select 1)", "\ud800", "x" * 5_000)  # fmt: skip
ENUMERATION_TRIES = 4
SLOWEST = 1.6
"""How much longer one of two answers may take, as a ratio of medians, before it tells which account exists."""


def without_a_login(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """No address shows or does anything."""
    for pattern in patterns():
        path = filled(pattern, "1")
        if not path.startswith(OPEN_TO_ALL):
            for method in ("GET", *UNSAFE):
                answer = nobody.send(method, path)
                if answer.status < 300 or answer.status >= 500:
                    yield _found(Severity.HIGH, f"{method} {path}", answer)


def without_a_token(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """No unsafe request is accepted without a CSRF token, or with one from a page of a different origin."""
    for pattern in patterns():
        path = filled(pattern, "1")
        if path.startswith("/api/trigger/"):
            continue
        for method in UNSAFE:
            plain = admin.send(method, path, b"{}", Content_Type="application/json", Referer=f"{admin.origin}/")
            foreign = admin.call(method, path, {}, Origin=f"https://{EVIL}", Referer=f"https://{EVIL}/")
            for how, answer in (("without a token", plain), ("from a different origin", foreign)):
                if answer.status < 400 or answer.status >= 500:
                    yield _found(Severity.HIGH, f"{method} {path} {how}", answer)


def by_a_viewer(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """Nothing that a viewer sends changes an object. Pages answer other methods as GET, and the API refuses them."""
    before = _objects(admin)
    for pattern in patterns():
        path = filled(pattern, "1")
        if not path.startswith(("/admin/", "/api/")) or path == "/admin/login/":
            continue
        for method in ("PUT", "PATCH", "DELETE"):
            answer = viewer.call(method, path, {})
            if answer.status >= 500 or (answer.status < 300 and path.startswith("/api/")):
                yield _found(Severity.HIGH, f"{method} {path}", answer)
        form = viewer.post(path, {"name": "Taken over", "action": "delete_selected", "_selected_action": "1"})
        if form.status >= 500:
            yield _found(Severity.MEDIUM, f"POST {path}", form)
    if (after := _objects(admin)) != before:
        yield Finding(Severity.HIGH, "by a viewer", "objects", f"were {before}, are {after}")


def hosts(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """A name that somebody sends is in no link, and a host that is not allowed is refused."""
    for path in ("/admin/login/", "/accounts/password/forgotten/", "/api/trigger/", "/"):
        for host in (EVIL, f"127.0.0.1@{EVIL}", f"127.0.0.1:{site.port}@{EVIL}", f"127.0.0.1.{EVIL}", "127.0.0.1:x"):
            answer = nobody.get(path, Host=host)
            if answer.status not in (400, 404):
                yield _found(Severity.MEDIUM, f"{path} with Host {host}", answer)
        for name in ("X_Forwarded_Host", "X_Host", "Forwarded", "X_Original_URL", "X_Rewrite_URL"):
            answer = nobody.get(path, **{name: f"host={EVIL}" if name == "Forwarded" else EVIL})
            if EVIL in answer.text or EVIL in str(answer.headers):
                yield _found(Severity.MEDIUM, f"{path} with {name}", answer)


def redirects(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """No parameter leads to a different site, signed in or not, by a link or a form."""
    pages = [filled(pattern, "1") for pattern in patterns() if pattern.startswith(("/admin/", "/accounts/", "/setup"))]
    for target in TARGETS:
        nobody.cookies = {}
        nobody.get("/admin/login/")
        person = {"username": "viewer", "password": site.password, "next": target}
        yield from _leads_away("a sign-in", target, nobody.post("/admin/login/", person))
        nobody.cookies = {}
        for path in ("/admin/login/", "/accounts/login/", "/accounts/reauthenticate/", "/accounts/sso/"):
            for browser in (nobody, viewer):
                yield from _leads_away(path, target, browser.get(f"{path}?next={quote(target)}"))
    for path in pages:
        given = "&".join(f"{name}={quote(TARGETS[1])}" for name in ("next", "redirect", "return", "url", "back"))
        yield from _leads_away(path, TARGETS[1], viewer.get(f"{path}?{given}"))


def sessions(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """A session that somebody chose is not adopted, and that of a login is a new one."""
    chosen = "a" * 32
    nobody.cookies = {"sessionid": chosen}
    nobody.get("/admin/login/")
    before = dict(nobody.cookies)
    signed_in = nobody.sign_in("viewer", site.password)
    if signed_in.status != 302:
        yield _found(Severity.LOW, "sign-in of the scan", signed_in)
    if nobody.cookies.get("sessionid") in (chosen, before.get("sessionid"), None):
        yield Finding(Severity.HIGH, "sessions", "/admin/login/", "keeps the session from before the login")
    if nobody.cookies.get("csrftoken") == before.get("csrftoken"):
        yield Finding(Severity.LOW, "sessions", "/admin/login/", "keeps the CSRF token from before the login")
    old = dict(nobody.cookies)
    nobody.post("/admin/logout/", {})
    nobody.cookies = old
    if (answer := nobody.get("/admin/")).status == 200:
        yield _found(Severity.HIGH, "a session after its logout", answer)
    nobody.cookies = {}


def accounts(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """Neither words nor time tell which accounts exist. Runs last: wrong passwords lock people out."""

    def sign_in(name: str) -> Answer:
        return nobody.post("/admin/login/", {"username": name, "password": "wrong-password-1"})

    def forgotten(name: str) -> Answer:
        return nobody.post("/accounts/password/forgotten/", {"email": f"{name}@example.com"})

    for where, ask in (("/admin/login/", sign_in), ("/accounts/password/forgotten/", forgotten)):
        nobody.cookies = {}
        nobody.get(where)
        yield from _told_apart(where, ask)
    nobody.cookies = {}
    nobody.get("/admin/login/")
    statuses = [
        nobody.post(
            "/admin/login/", {"username": "admin", "password": f"guess-{n}"}, X_Forwarded_For=f"203.0.113.{n}"
        ).status
        for n in range(30)
    ]
    if 429 not in statuses:
        yield Finding(Severity.MEDIUM, "accounts", "/admin/login/", f"30 wrong passwords are answered with {statuses}")


def files(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """File sources and the addresses of files lead to nothing outside of their folders."""
    for name, target in (("away.csv", "/etc/passwd"), ("away", "/etc")):
        if not (link := site.home / "data" / name).is_symlink():
            link.symlink_to(target)
    for engine in ("csv", "parquet", "jsonl", "sqlite", "duckdb"):
        for path in FILES:
            content = {"engine": engine, "settings": {"path": path}}
            yield from _shows_files(f"{engine} {path}", admin.call("POST", "/api/sources/preview/", content))
    for path in STATIC:
        yield from _shows_files(path, admin.get(path))


def sql(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """No statement and no name of a table changes a source, reads a file, or takes forever."""
    before = admin.get("/api/models/1/preview/").text
    for statement in STATEMENTS:
        started = time.monotonic()
        answer = admin.call("POST", "/api/sources/1/rows/", {"sql": statement})
        yield from _shows_files(f"SQL {statement}", answer)
        if time.monotonic() - started > 40:
            yield _found(Severity.MEDIUM, f"SQL {statement} takes too long", answer)
        if (refused := viewer.call("POST", "/api/sources/1/rows/", {"sql": statement})).status != 403:
            yield _found(Severity.HIGH, f"SQL of a viewer: {statement}", refused)
    for table in TABLES:
        answer = admin.call("POST", "/api/sources/1/rows/", {"table": table})
        if answer.status != 400:
            yield _found(Severity.MEDIUM, f"table {table[:40]!r}", answer)
    if admin.get("/api/models/1/preview/").text != before:
        yield Finding(Severity.HIGH, "sql", "the source", "was changed")


def sizes(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """Large, deep and endless bodies are refused, and nobody waits for them."""
    deep = b'{"where":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    large = b'{"name":"' + b"x" * 11_000_000 + b'"}'
    numbers = b'{"model":1' + b"0" * 5_000 + b',"number":1e999}'
    for name, body in (("deep JSON", deep), ("11 MB", large), ("a number of 5,000 digits", numbers)):
        for path in ("/api/segments/preview/", "/api/editor/mapping/", "/api/schedules/words/", "/api/editor/drafts/"):
            answer = admin.call("POST", path, body)
            if answer.status not in (400, 413):
                yield _found(Severity.MEDIUM, f"{path} with {name}", answer)
    for path in ("/admin/login/", "/accounts/password/forgotten/", "/api/trigger/", "/no/such/page/"):
        answer = nobody.send("POST", path, b"x" * 70_000, Content_Type="application/json")
        if answer.status not in (403, 404, 413):
            yield _found(Severity.MEDIUM, f"{path} with 70 kB from nobody", answer)


def lines(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """No value makes a header or a line of the log of its own."""
    for text in ("a%0d%0aX-Planted: yes", "a%0aX-Planted:%20yes", "a%E5%98%8A%E5%98%8DX-Planted: yes"):
        for path in (
            f"/admin/login/?next=/{text}",
            f"/admin/{text}",
            f"/favicon.ico?{text}",
            f"/accounts/login/?{text}",
        ):
            answer = nobody.get(path.replace(" ", "%20"))
            if "X-Planted" in answer.headers or answer.status >= 500:
                yield _found(Severity.HIGH, path, answer)
    answer = nobody.get("/admin/login/", X_Request_ID='planted" evil')
    if "planted" in answer.headers.get("X-Request-ID", ""):
        yield _found(Severity.LOW, "X-Request-ID", answer)
    if any(not line.startswith("{") for line in site.log("web").read_text().splitlines() if "X-Planted" in line):
        yield Finding(Severity.MEDIUM, "lines", "the log of the web server", "has a planted line")


def tokens(site: Installation, admin: Browser, viewer: Browser, nobody: Browser) -> Iterator[Finding]:
    """A trigger token opens the endpoints of its activation, and nothing else; columns that are named are not set."""
    bearer = {"Authorization": f"Bearer {site.token}"}
    for pattern in patterns():
        path = filled(pattern, "1")
        if path.startswith("/api/") and not path.startswith("/api/trigger/"):
            for method in ("GET", "POST"):
                answer = nobody.send(method, path, b"", **bearer)
                if answer.status < 400 or answer.status >= 500:
                    yield _found(Severity.HIGH, f"{method} {path} with a trigger token", answer)
    extra = nobody.call("POST", "/api/trigger/", {"full": True, "activation": 2}, **bearer)
    if extra.status != 400:
        yield _found(Severity.MEDIUM, "a trigger with more than it takes", extra)
    given = {"dry_run": True, "state": "succeeded", "trigger": "schedule", "owner": "me", "number": 999}
    answer = admin.call("POST", "/api/activations/1/runs/", given)
    if answer.status == 202 and ('"trigger":"schedule"' in answer.text or '"number":999' in answer.text):
        yield _found(Severity.HIGH, "columns of a run in a request", answer)


ATTACKS: Sequence[Callable[[Installation, Browser, Browser, Browser], Iterator[Finding]]] = (
    without_a_login, without_a_token, by_a_viewer, hosts, redirects, files, sql, sizes, lines, tokens, sessions,
    accounts,
)  # fmt: skip


def _found(severity: Severity, where: str, answer: Answer) -> Finding:
    location = answer.headers.get("Location", "")
    return Finding(severity, "attacks", where, f"status {answer.status} {location} {answer.text[:120]!r}".strip())


def _objects(admin: Browser) -> list[tuple[str, str]]:
    """What may not change: the names and states of what the API shows."""
    paths = [f"/api/{kind}/{pk}/" for kind in ("sources", "connections", "destinations") for pk in (1, 2)]
    return [(path, admin.get(path).text) for path in paths]


def _leads_away(path: str, target: str, answer: Answer) -> Iterator[Finding]:
    location = answer.headers.get("Location", "").replace("\\", "/").replace("\t", "")
    parts = urlsplit(location)
    if parts.hostname not in (None, "127.0.0.1") or parts.scheme not in ("", "https", "http"):
        yield _found(Severity.MEDIUM, f"{path} to {target}", answer)
    if answer.status >= 500:
        yield _found(Severity.MEDIUM, f"{path} to {target}", answer)


def _shows_files(where: str, answer: Answer) -> Iterator[Finding]:
    if any(word in answer.text for word in CONTENTS) and "/admin/docs/" not in where:
        yield _found(Severity.HIGH, where, answer)
    elif answer.status >= 500 and answer.status != 503:
        yield _found(Severity.MEDIUM, where, answer)


def _told_apart(where: str, ask: Callable[[str], Answer]) -> Iterator[Finding]:
    times: dict[str, list[float]] = {"viewer": [], "nobody-here": []}
    answers: dict[str, set[tuple[int, str]]] = {name: set() for name in times}
    for _ in range(ENUMERATION_TRIES):
        for name, seconds in times.items():
            started = time.monotonic()
            answer = ask(name)
            seconds.append(time.monotonic() - started)
            answers[name].add((answer.status, answer.headers.get("Location", "")))
    if not all(status in (200, 302) for found in answers.values() for status, _ in found):
        yield Finding(Severity.MEDIUM, "accounts", where, f"could not be tried: {answers}")
    if answers["viewer"] != answers["nobody-here"]:
        yield Finding(Severity.MEDIUM, "accounts", where, f"answers differ: {answers}")
    slow, quick = sorted(map(statistics.median, times.values()), reverse=True)
    if slow > quick * SLOWEST and slow - quick > 0.03:
        yield Finding(Severity.LOW, "accounts", where, f"one takes {slow:.3f} s, the other {quick:.3f} s")
