"""Settings for sign-in, read from the environment: passwords, limits, the identity provider and proxies."""

from __future__ import annotations

from datetime import timedelta

from dinmo.accounts.passwords import MINIMUM_LENGTH
from dinmo.accounts.proxies.addresses import Networks, networks
from dinmo.environment import Environment

_env = Environment()

AUTHENTICATION_BACKENDS = [
    "dinmo.accounts.entrance.backends.LockOut",
    "dinmo.accounts.entrance.backends.Passwords",
    "dinmo.accounts.proxies.people.ProxyPeople",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": MINIMUM_LENGTH},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "dinmo.accounts.passwords.NotRepeatedValidator"},
]
PASSWORD_SIGN_IN = _env.flag("PASSWORD_SIGN_IN", default=True)
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_RESET_TIMEOUT = 60 * 60

TRUSTED_PROXIES: Networks = _env.parsed(
    "TRUSTED_PROXIES", networks, (), "addresses or networks, such as 10.0.0.0/8,192.168.1.5"
)
PROXY_USER_HEADER = _env("PROXY_USER_HEADER", default="")

OIDC_NAME = _env("OIDC_NAME", default="single sign-on")
OIDC_ISSUER = _env("OIDC_ISSUER", default="").rstrip("/")
OIDC_CLIENT_ID = _env("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = _env("OIDC_CLIENT_SECRET", default="")
OIDC_GROUP_CLAIM = _env("OIDC_GROUP_CLAIM", default="groups")
OIDC_ROLES = _env.pairs("OIDC_ROLES")
OIDC_DEFAULT_ROLE = _env("OIDC_DEFAULT_ROLE", default="")

# What is counted here must hold for all web processes, so it is kept in the database.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_shared_value",
        # Otherwise, a flood of attempts would push out the counters of earlier ones.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    "pages": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pages"},
}

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# The lock ends at the time that the page says, whatever is tried in the meantime.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "dinmo.accounts.entrance.lockout.locked_out"
AXES_USERNAME_CALLABLE = "dinmo.accounts.entrance.lockout.account"
AXES_CLIENT_IP_CALLABLE = "dinmo.accounts.proxies.addresses.remote_address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "oldpassword", "password1", "password2", "code", "token", "next"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

ACCOUNT_ADAPTER = "dinmo.accounts.entrance.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# allauth's own also depends on a second table of email addresses, which is not used here.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    # Of one account at the second factor, wherever the attempts come from.
    "login_failed": "10/15m/key",
    "reset_password": "20/m/ip,5/15m/key",
    "reset_password_from_key": "20/m/ip",
    "reauthenticate": "10/m/user",
}
MFA_ADAPTER = "dinmo.accounts.entrance.adapters.SecondFactorAdapter"
MFA_FORMS = {"authenticate": "dinmo.accounts.entrance.lockout.SecondFactorForm"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "DinMo"

SOCIALACCOUNT_ADAPTER = "dinmo.accounts.sso.people.Adapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS = {
    "sso": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
    }
}
