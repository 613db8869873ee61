"""Each safeguard is needed: with it out, some seed breaks a promise."""

from __future__ import annotations

import pytest

from tests.simulation.breaks import BREAKS

MOST = 5_000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BREAKS)
def test_a_safeguard_that_is_out_is_noticed(name, searchers, capsys):
    caught = searchers.first_caught(name, MOST)
    assert caught is not None, f"{MOST} seeds do not miss {name}"
    with capsys.disabled():
        print(f"\n{name}: python -m tests.simulation --break {name} --seed {caught[0]}  # {caught[1]}")
