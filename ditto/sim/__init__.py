"""Simulated models: an HTTP server that plays language models, for first steps, tests and benchmarks.

It is no language model. Behind the dialects of OpenAI, Anthropic and Cloudflare Workers AI stand a few small,
honest, deterministic skills (`skills.py`), personas that word the same finding each in its own manner
(`manners.py`), and misbehaviours that can be asked for by name (`catalog.py`): `terse+slow=2s`, `careful+fail=503*2`.

On one port:

    POST /v1/chat/completions, GET /v1/models                   OpenAI
    POST /v1/messages                                           Anthropic
    POST /client/v4/accounts/{account}/ai/run/{model}           Workers AI
    POST /client/v4/accounts/{account}/ai/v1/chat/completions   Workers AI, OpenAI-compatible
    GET  /sim/counts, POST /sim/reset                           what was asked; forget it
    GET  /, GET /healthz                                        what this is; alive

A request may carry more misbehaviour than its model's name: the header `x-sim` and the body's field `sim` take the
same list (`slow=2s+fail=503*1`). The header `x-ditto-call` names a call, to be counted under that name.
"""
