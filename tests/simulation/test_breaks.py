"""Each safeguard is needed: with it out, some seed breaks a promise."""

from __future__ import annotations

import pytest

from tests.simulation.breaks import BREAKS

MOST = 5_000
RARE = {"return-ignored": 40_000}
"""What one seed in seven thousand misses; each change of what happens in a run makes it another one."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BREAKS)
def test_a_safeguard_that_is_out_is_noticed(name, searchers, capsys):
    most = RARE.get(name, MOST)
    caught = searchers.first_caught(name, most)
    assert caught is not None, f"{most} seeds do not miss {name}"
    with capsys.disabled():
        print(f"\n{name}: python -m tests.simulation --break {name} --seed {caught[0]}  # {caught[1]}")
