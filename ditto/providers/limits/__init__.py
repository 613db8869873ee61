"""How fast models are asked: limits that are set or found, turns that are fair, circuits that open."""
