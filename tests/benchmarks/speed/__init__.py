"""How fast a job is: Ditto beside what keeps nothing, and beside another that keeps everything, on one model server."""
