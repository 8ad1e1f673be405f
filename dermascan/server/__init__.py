"""The web server: gunicorn manages the processes, waitress reads and writes the connections.

One waitress thread reads all connections and passes a request to a worker thread only when it is complete, so that a
slow visitor occupies a connection but never a thread.
"""
