"""Limit rules below the row that they belong to."""

from billing.limits.models import LimitRule
from providers.panels import Rows


class PlanRuleRows(Rows):
    model = LimitRule
    fk_name = "plan"
    fields = ("per", "amount", "unit", "window", "model_pattern")
    verbose_name_plural = "further limits"
