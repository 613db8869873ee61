"""The HTTP door: the wire contract's routes as one FastAPI application over the service."""
