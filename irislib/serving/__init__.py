"""The two servers: apps and endpoint in one process, and the endpoint alone under Gunicorn."""
