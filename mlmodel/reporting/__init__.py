"""The evaluation report as one HTML page. Only ``manage.py evaluate`` needs it, and what it imports."""
