"""How jobs live: the service that the doors share, the holders of jobs, the callers of models, the keeper."""
