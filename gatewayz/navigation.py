"""The admin's sidebar."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

GROUPS = {
    "Providers": (
        ("providers.provider", "hub"),
        ("providers.provideralias", "label"),
        ("providers.credential", "key"),
        ("providers.rewriterule", "edit_note"),
    ),
    "Catalogue": (
        ("catalog.model", "neurology"),
        ("catalog.offer", "storefront"),
        ("catalog.modelalias", "label"),
        ("catalog.variant", "swap_vert"),
        ("catalog.blockrule", "block"),
        ("evidence.evidence", "fact_check"),
        ("evidence.probebudget", "network_ping"),
    ),
    "Syncs": (
        ("syncs.syncrun", "sync"),
        ("syncs.changeset", "difference"),
        ("syncs.modelmapping", "join"),
        ("catalog.pricerecord", "sell"),
    ),
    "Customers": (
        ("billing.account", "account_balance_wallet"),
        ("organisations.organisation", "groups"),
        ("billing.apikey", "vpn_key"),
        ("billing.plan", "tune"),
        ("limits.limitrule", "speed"),
        ("limits.budget", "savings"),
        ("limits.budgetnotice", "notifications"),
        ("ledger.transaction", "receipt_long"),
        ("ledger.ledgeraccount", "balance"),
        ("billing.usagerow", "monitoring"),
    ),
    "Operations": (
        ("alerts.alert", "notifications_active"),
        ("alerts.alertrule", "rule"),
        ("alerts.channel", "campaign"),
        ("alerts.delivery", "outgoing_mail"),
        ("catalog.revision", "history"),
        ("django_celery_beat.periodictask", "schedule"),
        ("auth.user", "person"),
        ("auth.group", "group"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of pages that this person may see."""
    pages = {
        model._meta.label_lower: page
        for model, page in admin.site._registry.items()
        if page.has_view_permission(request)
    }
    groups = []
    for title, entries in GROUPS.items():
        items = [item(pages[label], icon) for label, icon in entries if label in pages]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def item(page: admin.ModelAdmin, icon: str) -> dict[str, str]:
    options = page.model._meta
    name = str(options.verbose_name_plural)
    return {
        "title": name[:1].upper() + name[1:],
        "icon": icon,
        "link": reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
    }
