"""How requests reach the site: gunicorn keeps the processes, waitress reads and writes for them.

Waitress has one thread that reads every connection and hands a request to the others only once it is there whole, so
that a slow visitor holds a connection and never a thread.
"""
