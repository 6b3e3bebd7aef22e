"""Limit rules and budgets that admins set, what was spent of budgets, and who was told."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from billing import money
from billing.limits import values
from billing.models import Account, ApiKey, Plan
from billing.organisations.models import Membership
from providers.configuration import ConfigurationRow

KEY, ACCOUNT, MEMBER, PLAN = "key", "account", "member", "plan"


def exactly_one(row: models.Model, names: tuple[str, ...]) -> str:
    """Return which of some references a row has; raises ValidationError for none or several."""
    given = [name for name in names if has(row, name)]
    if len(given) != 1:
        raise ValidationError(f"Name either {' or '.join(f'a {name}' for name in names)}.")
    return given[0]


def has(row: models.Model, name: str) -> bool:
    """Whether a reference is set, also to a row that is not saved yet."""
    field: Any = row._meta.get_field(name)
    return bool(getattr(row, field.attname) or field.get_cached_value(row, default=None))


def parts_of(rows: models.QuerySet, names: tuple[str, ...]) -> set[str]:
    return {part for row in rows.select_related(*names) for part in row.parts()}


class LimitRule(ConfigurationRow):
    """A limit besides those of the plan's own columns."""

    OWNERS = (PLAN, ACCOUNT, KEY)
    part = ("limits", None)

    plan = models.ForeignKey(
        Plan, models.CASCADE, null=True, blank=True, related_name="limit_rules"
    )
    account = models.ForeignKey(
        Account, models.CASCADE, null=True, blank=True, related_name="limit_rules"
    )
    key = models.ForeignKey(
        ApiKey, models.CASCADE, null=True, blank=True, related_name="limit_rules"
    )
    per = models.CharField(
        max_length=8,
        choices=[(KEY, "each key"), (ACCOUNT, "each account"), ("all", "all together")],
        default=KEY,
        help_text="What is counted by itself, of all that the rule is for.",
    )
    model_pattern = models.CharField(
        "models",
        max_length=250,
        blank=True,
        help_text="Pattern of the model ids that count: <code>openai/*</code>. Empty: all.",
    )
    unit = models.CharField(max_length=12, choices=[(unit, unit) for unit in values.UNITS])
    window = models.CharField(
        max_length=8,
        blank=True,
        choices=[(window, window) for window in values.WINDOWS_S],
        help_text="Empty for concurrency.",
    )
    amount = models.PositiveBigIntegerField(help_text="<code>600</code>; 0: none is allowed.")

    class Meta:
        ordering = ["plan", "account", "key", "unit", "window", "id"]

    def __str__(self) -> str:
        what = f"{self.amount} {self.unit}" + (f" per {self.window}" if self.window else "")
        return f"{what} of {self.model_pattern}" if self.model_pattern else what

    def clean(self) -> None:
        exactly_one(self, self.OWNERS)
        if (self.unit == values.CONCURRENCY) is bool(self.window):
            raise ValidationError({"window": "Concurrency has no window; all else has one."})

    def parts(self) -> set[str]:
        return {part for part in (owner_part(self, name) for name in self.OWNERS) if part}

    @classmethod
    def parts_of(cls, rows: Any) -> set[str]:
        return parts_of(rows, cls.OWNERS)

    def value_of(self, key: ApiKey) -> values.Limit:
        """Return the limit as `key` meets it."""
        per = {KEY: (KEY, key.public_id), ACCOUNT: (ACCOUNT, key.account_id)}
        scope, subject = per.get(self.per, (PLAN if self.plan_id else ACCOUNT, ""))
        if self.key_id:
            scope, subject = KEY, key.public_id
        name = f"rule:{self.pk}:{subject}:{self.unit}:{self.window}"
        return values.Limit(name, scope, self.unit, self.window, self.amount, self.model_pattern)


def owner_part(row: Any, name: str) -> str:
    owner = getattr(row, f"{name}_id", None)
    if not owner:
        return ""
    return f"key:{row.key.public_id}" if name == KEY else f"{name}:{owner}"


class Budget(ConfigurationRow):
    """Money that a key, an account or a member may spend in a period. A member spends with the keys
    that they hold in their organisation."""

    OWNERS = (ACCOUNT, KEY, MEMBER)
    part = ("budgets", None)

    account = models.ForeignKey(
        Account, models.CASCADE, null=True, blank=True, related_name="budgets"
    )
    key = models.ForeignKey(ApiKey, models.CASCADE, null=True, blank=True, related_name="budgets")
    member = models.ForeignKey(
        Membership,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="budgets",
        help_text="For all keys that they hold there.",
    )
    period = models.CharField(
        max_length=8,
        choices=[(period, period) for period in values.PERIODS],
        default="month",
        help_text="In UTC; weeks begin on Monday.",
    )
    soft_nano = models.BigIntegerField(null=True, blank=True, editable=False)
    hard_nano = models.BigIntegerField(null=True, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    by_api = models.BooleanField(
        default=False, editable=False, help_text="It is the <code>limit</code> of /v1/keys."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["account", "member", "key", "period", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=Q(by_api=True), name="one_limit_of_a_key"
            )
        ]

    def __str__(self) -> str:
        edges = [
            money.written(edge) for edge in (self.soft_nano, self.hard_nano) if edge is not None
        ]
        return f"{self.owner()}: {' / '.join(edges)} ({self.period})"

    def owner(self) -> str:
        return str(getattr(self, self.scope))

    @property
    def scope(self) -> str:
        return next((name for name in self.OWNERS if getattr(self, f"{name}_id")), ACCOUNT)

    def keys(self) -> models.QuerySet:
        """Return the keys that spend from it."""
        if self.key_id:
            return ApiKey.objects.filter(pk=self.key_id)
        if self.account_id or self.member is None:
            return ApiKey.objects.filter(account=self.account_id)
        mine = {"holder": self.member.user_id, "account__organisation": self.member.organisation_id}
        return ApiKey.objects.filter(**mine)

    def clean(self) -> None:
        exactly_one(self, self.OWNERS)

    def save(self, *args: Any, **options: Any) -> None:
        """Save it. With another period, what was spent is added up anew: a day's sum would stand
        for the month that began with that day."""
        with transaction.atomic():
            others = type(self).objects.filter(pk=self.pk).exclude(period=self.period)
            BudgetSpend.objects.filter(budget__in=others).delete()
            super().save(*args, **options)

    def parts(self) -> set[str]:
        if self.member_id:
            return {f"key:{name}" for name in self.keys().values_list("public_id", flat=True)}
        return {part for part in (owner_part(self, name) for name in (ACCOUNT, KEY)) if part}

    @classmethod
    def parts_of(cls, rows: Any) -> set[str]:
        return parts_of(rows, cls.OWNERS)

    def value_of(self) -> values.Budget:
        return values.Budget(self.pk, self.scope, self.period, self.soft_nano, self.hard_nano)


class BudgetSpend(models.Model):
    """What was booked of a budget in one period. The bookkeeper adds to it as it books."""

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="spends")
    period_began_at = models.DateTimeField()
    spent_nano = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["budget", "period_began_at"], name="one_spend_a_period")
        ]

    def __str__(self) -> str:
        return f"{money.written(self.spent_nano)} of {self.budget_id}"


class BudgetNotice(models.Model):
    """An edge of a budget that was reached in a period: written once, for whoever tells people."""

    EDGES = ("soft", "hard")

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="notices")
    period_began_at = models.DateTimeField()
    edge = models.CharField(max_length=4, choices=[(edge, edge) for edge in EDGES])
    spent_nano = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "period_began_at", "edge"], name="one_notice_an_edge"
            ),
            models.CheckConstraint(condition=Q(edge__in=["soft", "hard"]), name="known_edge"),
        ]

    def __str__(self) -> str:
        return f"{self.edge} edge of {self.budget_id}"
