"""What a node serves, by its role: `api` has no admin, `admin` takes no inference requests."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from gatewayz.api.urls import account, inference, listings

operators = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("account/", include("gatewayz.web.urls")),
]
urlpatterns = [
    *(operators if settings.ROLE != "api" else []),
    *(inference if settings.ROLE != "admin" else []),
    *account,
    *listings,
]
handler400 = "gatewayz.api.fallbacks.bad_request"
handler403 = "gatewayz.api.fallbacks.permission_denied"
handler404 = "gatewayz.api.fallbacks.not_found"
handler500 = "gatewayz.api.fallbacks.server_error"
