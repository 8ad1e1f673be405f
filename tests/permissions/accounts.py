"""Expected responses of allauth's pages, which depend only on whether the user is signed in."""

from tests.permissions.answers import NOT_HERE, SIGN_IN, Case, clinic, everyone, signed_in

VISITORS_ONLY = Case(get=everyone(302, anonymous=200), post=everyone(302, anonymous=200))
FOR_ANYONE = Case(get=everyone(200), post=everyone(200))
TO_READ = Case(get=everyone(200), post=NOT_HERE)
ONES_OWN = Case(get=signed_in(200), post=signed_in(200))
PASSWORD_FIRST = Case(get=signed_in(302), post=signed_in(302))
NO_SECOND_FACTOR_YET = Case(get=signed_in(404), post=signed_in(404))

ACCOUNTS: dict[str, list[Case]] = {
    "account_login": [VISITORS_ONLY],
    "account_signup": [VISITORS_ONLY],  # says that it is closed
    "account_logout": [Case(get=everyone(200, anonymous=302), post=everyone(302))],
    "account_inactive": [TO_READ],
    "account_reauthenticate": [ONES_OWN],
    "account_email": [Case(get=signed_in(200), post=signed_in(405))],
    "api-tokens": [Case(get=clinic(200), post=clinic(400))],
    "api-token-revoke": [
        Case(
            ids={"token_id": "api_token"},
            get=clinic(405),
            post=clinic(404, staff=302, manager=302),
        )
    ],
    "account_email_verification_sent": [TO_READ],
    "account_confirm_email": [Case(words={"key": "unknown"}, get=everyone(200), post=everyone(404))],
    "account_change_password": [ONES_OWN],
    "account_set_password": [PASSWORD_FIRST],
    "account_reset_password": [FOR_ANYONE],
    "account_reset_password_done": [TO_READ],
    "account_reset_password_from_key": [
        Case(words={"uidb36": "1", "key": "unknown-key"}, get=everyone(200), post=everyone(200))
    ],
    "account_reset_password_from_key_done": [TO_READ],
    "account_confirm_login_code": [Case(get=everyone(302, anonymous=SIGN_IN), post=everyone(302, anonymous=SIGN_IN))],
    "mfa_index": [Case(get=signed_in(200), post=signed_in(405))],
    "mfa_authenticate": [Case(get=everyone(302, anonymous=SIGN_IN), post=everyone(302, anonymous=SIGN_IN))],
    "mfa_reauthenticate": [PASSWORD_FIRST],
    "mfa_activate_totp": [PASSWORD_FIRST],
    "mfa_deactivate_totp": [NO_SECOND_FACTOR_YET],
    "mfa_view_recovery_codes": [Case(get=signed_in(404), post=signed_in(405))],
    "mfa_generate_recovery_codes": [PASSWORD_FIRST],
    "mfa_download_recovery_codes": [NO_SECOND_FACTOR_YET],
}
