"""What keys may be used for and from where, rotation, and whose they are."""

import billing.access.scopes
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0007_plan_limits'),
        ('ledger', '0003_earlier_books'),
        ('organisations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='organisation',
            field=models.ForeignKey(blank=True, help_text='Whose members see its keys and usage at <code>/account/</code>. May be empty.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='organisations.organisation'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='allowed_endpoints',
            field=models.JSONField(blank=True, default=list, help_text='Of chat, completions, embeddings, images, audio, rerank, moderations, models, account. Empty: all.', validators=[billing.access.scopes.endpoints]),
        ),
        migrations.AddField(
            model_name='apikey',
            name='allowed_ips',
            field=models.JSONField(blank=True, default=list, help_text='Where it may come from: <code>["203.0.113.0/24"]</code>. Empty: anywhere.', validators=[billing.access.scopes.networks]),
        ),
        migrations.AddField(
            model_name='apikey',
            name='denied_models',
            field=models.JSONField(blank=True, default=list, help_text='Patterns of model ids: <code>["*:free"]</code>.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AddField(
            model_name='apikey',
            name='denied_providers',
            field=models.JSONField(blank=True, default=list, help_text='Any names of them: <code>["groq"]</code>.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AddField(
            model_name='apikey',
            name='disabled',
            field=models.BooleanField(default=False, help_text='On: refused for as long.'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='holder',
            field=models.ForeignKey(blank=True, help_text='The member who manages it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='api_keys', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='apikey',
            name='is_management',
            field=models.BooleanField(default=False, help_text='May list, make, change and revoke keys of its account and its organisation.', verbose_name='management key'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='is_test',
            field=models.BooleanField(default=False, help_text='Costs nothing and reaches only the built-in <code>echo</code>. Kept for ever.', verbose_name='test key'),
        ),
        migrations.AddField(
            model_name='apikey',
            name='last_used_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='old_digest',
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='apikey',
            name='old_valid_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='allowed_models',
            field=models.JSONField(blank=True, default=list, help_text='Patterns of model ids: <code>["openai/*"]</code>. Empty: all.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AddField(
            model_name='plan',
            name='allowed_providers',
            field=models.JSONField(blank=True, default=list, help_text='Any names of them: <code>["groq"]</code>. Empty: all.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AddField(
            model_name='plan',
            name='denied_models',
            field=models.JSONField(blank=True, default=list, help_text='Patterns of model ids: <code>["*:free"]</code>.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AddField(
            model_name='plan',
            name='denied_providers',
            field=models.JSONField(blank=True, default=list, help_text='Any names of them: <code>["groq"]</code>.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='allowed_models',
            field=models.JSONField(blank=True, default=list, help_text='Patterns of model ids: <code>["openai/*"]</code>. Empty: all.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='allowed_providers',
            field=models.JSONField(blank=True, default=list, help_text='Any names of them: <code>["groq"]</code>. Empty: all.', validators=[billing.access.scopes.short_list]),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='name',
            field=models.CharField(blank=True, help_text='<code>laptop</code>', max_length=100, validators=[django.core.validators.ProhibitNullCharactersValidator()]),
        ),
    ]
