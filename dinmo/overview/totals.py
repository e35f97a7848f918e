"""Numbers from the counters of runs: records per day, and each vendor's requests beside its rate limit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.core.cache import caches
from django.db.models import F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from activations.models import Run
from destinations.models import Budget, Connection
from destinations.pacing import SHARE_OF_LIMIT
from destinations.registry import platforms, services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

DAYS = 30
KEPT_SECONDS = 300
"""How long the sums of past days are kept: no more runs end in them, but old runs are deleted."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SECONDS_AN_HOUR = 3600
REQUESTS = F("discovery_requests") + F("lookup_requests") + F("write_requests")


@dataclass(frozen=True)
class Day:
    """The records of one day, in the viewer's time zone."""

    day: date
    created: int = 0
    updated: int = 0
    not_sent: int = 0


@dataclass(frozen=True)
class Usage:
    """The requests of a vendor's workspace in the last hour.

    Args:
        allowed: how many the vendor allows in an hour.
        blocked_until: until when it accepts no requests; None if it does.
    """

    connection: Connection
    platform: str
    requests: int
    allowed: int
    blocked_until: datetime | None = None

    @property
    def percent(self) -> float:
        return min(100.0, self.requests * 100 / self.allowed)


def per_day(now: datetime) -> list[Day]:
    """The last 30 days including today. Dry runs don't count."""
    today, zone = timezone.localdate(now), timezone.get_current_timezone()
    first = today - timedelta(days=DAYS - 1)
    start, midnight, tomorrow = (datetime.combine(day, time(), zone) for day in (first, today, today + DAY))
    past = caches["pages"].get_or_set(f"totals:{zone}:{first}", lambda: _by_day(start, midnight, zone), KEPT_SECONDS)
    found = {**(past or {}), **_by_day(midnight, tomorrow, zone)}
    days = (first + timedelta(days=offset) for offset in range(DAYS))
    return [found.get(day, Day(day)) for day in days]


def _by_day(start: datetime, end: datetime, zone: tzinfo) -> dict[date, Day]:
    ended = Run.objects.filter(finished_at__gte=start, finished_at__lt=end, dry_run=False).order_by()
    grouped = ended.annotate(day=TruncDate("finished_at", tzinfo=zone)).values_list("day")
    rows: Any = grouped.annotate(
        all_accepted=Sum("accepted"),
        all_created=Sum("created"),
        refused=Sum(F("rejected") + F("invalid") + F("unknown") + F("not_sent")),
    )
    return {day: Day(day, created, accepted - created, not_sent) for day, accepted, created, not_sent in rows}


def chart(days: Iterable[Day]) -> dict[str, list[Any]]:
    """PURE. The days as the chart needs them."""
    days = list(days)
    return {
        "labels": [f"{one.day.day} {one.day:%b}" for one in days],
        "created": [one.created for one in days],
        "updated": [one.updated for one in days],
        "not_sent": [one.not_sent for one in days],
    }


def usage(now: datetime) -> list[Usage]:
    """The connections that runs have sent requests with in the last hour, or whose vendor accepts none now."""
    sent = _sent(now - HOUR)
    budgets = {budget.name: budget for budget in Budget.objects.all()}
    found = []
    for connection in Connection.objects.defer("secrets").order_by("name"):
        platform = platforms.all.get(connection.platform)
        if platform is None:
            continue
        own = _own(connection, budgets)
        blocked = max((budget.blocked_until for budget in own), default=0.0)
        until = datetime.fromtimestamp(blocked, tz=now.tzinfo) if blocked > now.timestamp() else None
        number = sent.get(connection.pk, 0)
        if (number or until) and (allowed := _allowed(connection, own)):
            found.append(Usage(connection, platform.label, number, allowed, until))
    return found


def _sent(since: datetime) -> Mapping[int, int]:
    counted: dict[int, int] = defaultdict(int)
    by_connection = Run.objects.order_by().values_list("activation__destination__connection")
    for runs in (by_connection.filter(finished_at__gte=since), by_connection.filter(state__in=Run.LIVE)):
        rows: Any = runs.annotate(number=Sum(REQUESTS))
        for connection, number in rows:
            counted[connection] += number or 0
    return counted


def _own(connection: Connection, budgets: Mapping[str, Budget]) -> list[Budget]:
    name = f"{connection.platform}:{connection.workspace_id or connection.pk}"
    return [budgets[lane] for lane in (f"{name}:reads", f"{name}:writes") if lane in budgets]


def _allowed(connection: Connection, own: Iterable[Budget]) -> int:
    """The requests in an hour: as the vendor's headers say, or else as the platform's documentation does."""
    rate = sum(budget.rate for budget in own) / SHARE_OF_LIMIT
    if not rate:
        limits = [one.limits for one in services.all.values() if one.platform.slug == connection.platform]
        rate = max((one.writes + (0 if one.shared else one.reads) for one in limits), default=0.0)
    return round(rate * SECONDS_AN_HOUR)
