"""Who hears of warnings and failed runs: the recipients of the activation, by mail, once for each change of state."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import send_mail

from activations.models import Run, Warning

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)


def notify(run: Run, now: datetime) -> None:
    """Mails what is new about an ended run: its failure, and warnings that were not told yet."""
    activation = run.activation
    if run.is_live or run.dry_run or not activation.warnings_enabled or not activation.recipients:
        return
    fresh = list(Warning.objects.filter(activation=activation, closed_at=None, notified_at=None))
    failed = run.state == Run.State.FAILED and not _failed_before(run)
    if (fresh or failed) and _mail(run, fresh, failed):
        Warning.objects.filter(pk__in=[warning.pk for warning in fresh]).update(notified_at=now)


def compose(run: Run, fresh: list[Warning], failed: bool) -> tuple[str, str]:
    """PURE. Subject and text of the mail."""
    what = "failed" if failed else "has warnings"
    lines = [f"Run {run.number} of the activation {run.activation.name!r} {what}.", ""]
    lines += [f"- {run.error_message}"] if failed else []
    lines += [f"- {warning.message}" for warning in fresh]
    lines += ["", f"See {settings.PUBLIC_URL}/admin/activations/run/{run.pk}/change/"]
    return f"{run.activation.name}: {what}", "\n".join(lines)


def _failed_before(run: Run) -> bool:
    before = Run.objects.filter(activation=run.activation, pk__lt=run.pk, dry_run=False).first()
    return before is not None and before.state == Run.State.FAILED and before.error_code == run.error_code


def _mail(run: Run, fresh: list[Warning], failed: bool) -> bool:
    subject, text = compose(run, fresh, failed)
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, run.activation.recipients)
    except (SMTPException, OSError) as error:
        log.warning("The mail about run %s could not be sent: %s", run.pk, type(error).__name__)
        return False
    return True
