"""Books what was posted and charged before there was a ledger, so that balances follow from it."""

from django.db import migrations
from django.db.models import Sum

from billing.ledger.models import new_id


def book_all(apps, schema_editor):
    for account in apps.get_model("billing", "Account").objects.order_by("pk"):
        book_account(apps, account)


def book_account(apps, account):
    given = apps.get_model("billing", "Posting").objects.filter(account=account).order_by("pk")
    for row in given:
        said = {"reason": row.reason, "author": row.author, "created_at": row.created_at}
        book(apps, account, ("adjustment", f"adjustment:{row.pk}"), row.amount_nano, said)
    total = given.aggregate(total=Sum("amount_nano"))["total"] or 0
    if spent := total - account.balance_nano:
        charged = book(apps, account, ("usage", f"usage:before:{account.pk}"), -spent, {})
        rows = apps.get_model("billing", "UsageRow").objects.filter(account=account)
        rows.filter(cost_nano__gt=0).update(transaction_id=charged)


def book(apps, account, named, amount, said):
    kind, reference = named
    other = "revenue" if kind == "usage" else "adjustments"
    transaction_id = new_id()
    for side, nano in ((("customer", account), amount), ((other, None), -amount)):
        ledger_account, _ = apps.get_model("ledger", "LedgerAccount").objects.get_or_create(
            kind=side[0], account=side[1], provider=""
        )
        apps.get_model("ledger", "Posting").objects.create(
            transaction_id=transaction_id, ledger_account=ledger_account, amount_nano=nano
        )
    apps.get_model("ledger", "Transaction").objects.create(
        id=transaction_id, kind=kind, reference=reference, **said
    )
    return transaction_id


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_triggers"), ("billing", "0004_usage_transaction")]
    operations = [migrations.RunPython(book_all, migrations.RunPython.noop)]
