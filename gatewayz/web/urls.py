"""Paths below /account/."""

from django.contrib.auth import views as auth
from django.urls import path, register_converter, reverse_lazy
from django.urls.converters import IntConverter

from gatewayz.logins.forms import LoginForm
from gatewayz.web import keys, money, people


class Number(IntConverter):
    """A number that fits into a database's column."""

    regex = "[0-9]{1,18}"


register_converter(Number, "number")
app_name = "account"
HOME = reverse_lazy("account:home")
login = auth.LoginView.as_view(
    template_name="account/login.html", authentication_form=LoginForm, next_page=HOME
)
password = auth.PasswordChangeView.as_view(template_name="account/password.html", success_url=HOME)
password_set = auth.PasswordResetConfirmView.as_view(
    template_name="account/password_set.html", success_url=reverse_lazy("account:login")
)
organisation = "<number:organisation>/"
urlpatterns = [
    path("", money.home, name="home"),
    path("login/", login, name="login"),
    path("logout/", auth.LogoutView.as_view(next_page="account:login"), name="logout"),
    path("password/", password, name="password"),
    path("set/<uidb64>/<token>/", password_set, name="password-set"),
    path(organisation, money.overview, name="overview"),
    path(f"{organisation}keys/", keys.keys, name="keys"),
    path(f"{organisation}keys/<slug:public_id>/revoke/", keys.revoke, name="revoke"),
    path(f"{organisation}keys/<slug:public_id>/rotate/", keys.rotate, name="rotate"),
    path(f"{organisation}usage/", money.usage_page, name="usage"),
    path(f"{organisation}money/", money.money_page, name="money"),
    path(f"{organisation}members/", people.members, name="members"),
    path(f"{organisation}members/<number:pk>/role/", people.change_role, name="role"),
    path(f"{organisation}members/<number:pk>/remove/", people.remove, name="remove"),
    path(f"{organisation}members/<number:pk>/link/", people.link, name="link"),
]
