from django.db import migrations


class Migration(migrations.Migration):
    """Links begin with the settings' address when a message is sent; rows had the host of a request."""

    dependencies = [("patients", "0014_lesion_noticed_roughly")]

    operations = [migrations.RemoveField(model_name="outgoingmessage", name="site")]
