from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oauth_login", "0008_rights")]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="claim_names",
            field=models.JSONField(editable=False, null=True),
        ),
    ]
