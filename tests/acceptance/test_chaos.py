"""Everything in a service is killed and frozen while clients wait: nothing is lost, and no answer is paid for twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tests

FOLDER = Path(str(tests.__file__)).parent.parent
LIMIT_S = 570
KINDS = ("actor", "host", "caller", "keeper", "replica", "ingress", "node", "everything")
HOLD_NO_CALLS = ("actor kill", "actor freeze", "host kill", "host freeze", "keeper kill", "replica kill")

if not os.path.isdir("/proc/self"):
    assert "CI" not in os.environ, "CI runs where processes can be looked at"
    pytest.skip("waits for /proc, to find the processes of a service", allow_module_level=True)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Returns the figures of a short run."""
    file = tmp_path_factory.mktemp("chaos") / "chaos.json"
    command = (sys.executable, "-m", "tests.chaos", "--quick", "--jobs", "60", "--seed", "1", "--json", str(file))
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    print(done.stdout)
    assert file.exists(), done.stderr
    run: dict[str, Any] = json.loads(file.read_text())["runs"][0]
    return run


@pytest.mark.timeout(LIMIT_S + 30)
def test_every_kind_was_really_struck_while_it_had_work(outcome):
    struck = {kind: [fault for fault in outcome["faults"] if fault["kind"] == kind] for kind in KINDS}

    assert {kind for kind, faults in struck.items() if not faults} == set()
    assert outcome["missed"] == []
    assert sum(toll["in_flight"] for toll in outcome["kinds"].values()) > len(outcome["faults"])
    assert outcome["jobs"] >= 60
    assert 0 < outcome["dedicated"] < outcome["jobs"]
    assert outcome["requests"] > outcome["calls"]  # a dead caller's calls are asked again, and counted here


def test_no_accepted_job_is_lost_or_ends_twice_and_no_journalled_answer_is_asked_for_again(outcome):
    wrong = ("lost", "ended_twice", "answered_repeated", "doubled", "wrong", "unfolded", "unserved", "torn")

    assert {name: outcome[name] for name in wrong} == dict.fromkeys(wrong, 0), outcome["details"]


def test_whoever_holds_no_calls_repeats_none_by_dying(outcome):
    repeated = {name: outcome["kinds"][name]["repeated"] for name in HOLD_NO_CALLS}

    assert sum(repeated.values()) <= 1, repeated


def test_dittos_own_clients_see_nothing_of_the_death_of_an_actor_or_the_keeper(outcome):
    unseen = ("actor kill", "keeper kill")

    assert {name: outcome["kinds"][name]["came_back"] for name in unseen} == dict.fromkeys(unseen, 0)


def test_stopping_leaves_no_process(outcome):
    assert outcome["left"] == []
