"""Simulated models: an HTTP server that plays language models, for first steps, tests and benchmarks.

It is no language model. Behind the dialects of OpenAI, Anthropic and Cloudflare Workers AI stand a few small,
honest, deterministic skills (`skills.py`), personas that word the same finding each in its own manner
(`manners.py`), and misbehaviours that can be asked for by name (`catalog.py`): `terse+slow=2s`, `careful+fail=503*2`.
"""
