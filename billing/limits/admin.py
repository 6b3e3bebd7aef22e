"""Admin pages of limits and budgets."""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from billing import money
from billing.limits.forms import BudgetForm
from billing.limits.models import Budget, BudgetNotice, BudgetSpend, LimitRule
from providers.panels import ConfigurationAdmin, ReadOnly, Rows


@admin.register(LimitRule)
class LimitRuleAdmin(ConfigurationAdmin):
    list_display = ("__str__", "per", "plan", "account", "key")
    list_select_related = ("plan", "account", "key")
    list_filter = ("unit", "window", "plan")
    search_fields = ("model_pattern", "account__name", "key__public_id")
    autocomplete_fields = ("plan", "account", "key")
    fields = (("plan", "account", "key"), "per", ("amount", "unit", "window"), "model_pattern")


class SpendRows(ReadOnly, Rows):
    model = BudgetSpend
    fields = readonly_fields = ("period_began_at", "spent", "updated_at")
    ordering = ("-period_began_at",)
    max_num = 0

    @display(description="spent")
    def spent(self, row: BudgetSpend) -> str:
        return money.written(row.spent_nano)


@admin.register(Budget)
class BudgetAdmin(ConfigurationAdmin):
    form = BudgetForm
    list_display = ("owner", "period", "soft", "hard", "by_api", "enabled")
    list_select_related = ("account", "key", "member__user", "member__organisation")
    list_filter = ("period", "enabled")
    search_fields = ("account__name", "key__public_id", "key__name", "member__user__username")
    autocomplete_fields = ("account", "key")
    raw_id_fields = ("member",)
    fields = (("account", "key", "member"), "period", ("soft", "hard"), "enabled")
    inlines = (SpendRows,)

    @display(description="soft edge", ordering="soft_nano")
    def soft(self, row: Budget) -> str:
        return money.written(row.soft_nano)

    @display(description="hard edge", ordering="hard_nano")
    def hard(self, row: Budget) -> str:
        return money.written(row.hard_nano)


@admin.register(BudgetNotice)
class BudgetNoticeAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "budget", "edge", "period_began_at", "spent")
    list_select_related = (
        "budget__account",
        "budget__key",
        "budget__member__user",
        "budget__member__organisation",
    )
    list_filter = ("edge", "created_at")
    fields = ("budget", "edge", "period_began_at", "spent", "created_at")

    @display(description="spent", ordering="spent_nano")
    def spent(self, row: BudgetNotice) -> str:
        return money.written(row.spent_nano)
