"""The HTTP door: the wire contract's routes as one ASGI application over the service."""
