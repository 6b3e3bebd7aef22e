"""The two forms that sign people in; both say when to wait."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from gatewayz.logins.backend import TOO_MANY


class Patient:
    request: Any

    def get_invalid_login_error(self) -> ValidationError:
        if getattr(self.request, "refused_for_now", False):
            return ValidationError(TOO_MANY, code="too_many_attempts")
        return super().get_invalid_login_error()  # type: ignore[misc]


class AdminLoginForm(Patient, UnfoldAuthenticationForm):
    pass


class LoginForm(Patient, AuthenticationForm):
    pass
