"""Addresses of signing in and of a person's own account. Nobody signs up, so allauth's own list is not included."""

from __future__ import annotations

from allauth.account import views as account
from allauth.socialaccount import views as social
from django.urls import include, path
from django.views.generic import RedirectView

from dinmo.accounts.entrance.sign_in import SignIn
from dinmo.accounts.links import invitations, new_password, setup
from dinmo.accounts.own import details, sessions
from dinmo.accounts.sso import views as sso

accounts = [
    path("login/", RedirectView.as_view(pattern_name="admin:login", query_string=True), name="account_login"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/forgotten/", new_password.Forgotten.as_view(), name="account_reset_password"),
    path("password/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("password/new/", new_password.page, name="account_new_password"),
    path("password/saved/", account.password_reset_from_key_done, name="account_new_password_done"),
    path("sso/", sso.begin, name="sso_login"),
    path("sso/callback/", sso.finish, name="sso_callback"),
    path("sso/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("two-factor/", include("allauth.mfa.urls")),
    path("profile/", details.page, name="profile"),
    path("profile/email/", details.confirm, name="confirm_email"),
    path("sessions/", sessions.page, name="own_sessions"),
    path("invitation/", invitations.page, name="invitation"),
]
urlpatterns = [
    path("setup/", setup.page, name="setup"),
    # In the place of the admin's own, whose name `admin:login` leads here.
    path("admin/login/", SignIn.as_view()),
    path("accounts/", include(accounts)),
]
