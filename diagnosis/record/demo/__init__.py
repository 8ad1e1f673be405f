"""An invented clinic to try DermaScan with. Created by ``manage.py create_demo_clinic``, never in production."""

# Published on purpose, and in the README: everyone who can reach a demo clinic may sign in to it.
DEMO_PASSWORD = "lantern-harbour-seven"  # noqa: S105
USER_NAMES = ("staff", "dermatologist", "manager", "patient")
