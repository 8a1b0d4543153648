from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dateline", "0010_event_unchecked"),
    ]

    operations = [
        migrations.AddField(
            model_name="newsletter",
            name="asks_again",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
