"""The page of a user's sessions, each of which can be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render

from dinmo.accounts.own.browsers import browser_name

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

OTHERS = "others"


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Lists the user's sessions, and ends one of them or all others."""
    user: User = request.user  # type: ignore[assignment]
    if request.method == "POST":
        ended = end(user, request.POST.get("end", ""), request.session.session_key or "")
        messages.success(request, f"Signed out {ended:,} browser{'' if ended == 1 else 's'}.")
        return redirect("own_sessions")
    sessions = sorted(UserSession.objects.purge_and_list(user), key=lambda session: session.created_at, reverse=True)
    rows = [
        {"session": each, "browser": browser_name(each.user_agent), "current": each.is_current()} for each in sessions
    ]
    return render(request, "accounts/sessions.html", {"title": "Signed-in browsers", "rows": rows})


def end(user: User, which: str, current: str) -> int:
    """Ends one of the user's sessions by its ID, or all but the current one. Returns how many ended."""
    sessions = UserSession.objects.filter(user=user).exclude(session_key=current)
    chosen = sessions if which == OTHERS else sessions.filter(pk=which) if which.isdecimal() else sessions.none()
    for session in (ended := list(chosen)):
        session.end()
    return len(ended)
