"""What a batch would ask, said without asking."""

from __future__ import annotations

from typing import Any

from ditto.batching import BatchOptions, Plan, Reading
from ditto.batching.estimating import estimated


def _plan(bench: Any, **options: Any) -> Plan:
    return Plan(
        source=str(bench.input),
        output=str(bench.output),
        reading=Reading(given={}),
        options=BatchOptions(**{"name": "test", **options}),
    )


async def test_rows_calls_and_tokens_are_counted(bench: Any, service: Any) -> None:
    bench.write({"id": "a", "prompt": "x" * 400}, {"id": "b", "prompt": "y" * 800}, "{broken")

    found = estimated(_plan(bench), lambda request: 3)

    assert (found.rows, found.bad, found.to_ask, found.calls, found.input_tokens) == (3, 1, 2, 6, 900)
    assert found.first_problem is not None
    assert found.first_problem.startswith("line 3: is no JSON")
    assert found.output_tokens is None
    assert service.asked == []
    assert not bench.output.exists()


async def test_what_is_there_already_is_not_asked_and_tells_how_long_answers_are(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"}, {"id": "bad", "prompt": " "})
    await bench.run()
    bench.write({"id": "a", "prompt": "One?"}, {"id": "bad", "prompt": " "}, {"id": "b", "prompt": "Two?"})

    found = estimated(_plan(bench), lambda request: 3)
    again = estimated(_plan(bench, retry_failed=True), lambda request: 3)

    assert (found.rows, found.done, found.bad, found.to_ask) == (3, 2, 0, 1)
    assert (again.done, again.bad) == (1, 1)
    assert found.output_tokens == 27


async def test_only_the_service_knows_its_panel(bench: Any) -> None:
    bench.write({"id": "a", "prompt": "One?"})

    found = estimated(_plan(bench), lambda request: None)

    assert (found.to_ask, found.calls, found.input_tokens) == (1, None, None)
