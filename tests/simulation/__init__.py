"""The service in virtual time: the real holders, callers, keeper and service on simulated processes, wires and disk.

A seed says what is asked and what goes wrong (`plans`); a clockwork runs one callback of one process at a time, and
between any two of them a process may die, freeze or be replaced (`clockwork`, `processes`, `striking`); messages and
commits are lost, doubled and delayed (`wires`, `stores`). The `ledger` stands outside and sees every write, every
question to a model and everything a client is shown; `promises` looks at what is left in the end. `breaks` takes out
one safeguard after the other. `python -m tests.simulation --seed N` plays one seed and tells all that happens in it.
"""
