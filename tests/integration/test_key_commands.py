"""`ditto keys create`, `list` and `revoke` as a user meets them: the key is shown once and kept nowhere."""

from __future__ import annotations

import asyncio
import json

import pytest

from ditto.cli.app import main
from ditto.domain.access_keys import opens
from ditto.domain.tenants import Allowance
from ditto.store.opening import open_journal


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "data" / "journal.db"
    monkeypatch.setenv("DITTO_STORE", str(path))
    return path


@pytest.fixture
def keys(capsys, path):
    """Runs the program: returns its exit code and what it said on standard output and error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["keys", *arguments])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def registered(path):
    async def read():
        journal = open_journal(path)
        try:
            return await journal.access.register()
        finally:
            await journal.close()

    return asyncio.run(read())


def test_a_key_is_printed_once_and_opens(keys, path):
    code, out, err = keys("create", "--tenant", "acme", "--label", "laptop")
    shown = out.strip()
    (key,) = (registered(path)).keys
    assert (code, key.tenant, key.label) == (0, "acme", "laptop")
    assert opens(key, shown)
    assert len(shown) > 50
    assert key.id in err
    assert shown not in err


def test_no_file_of_the_store_holds_the_key(keys, path):
    _, out, _ = keys("create")
    secret = out.strip().split("_", 2)[2].encode()
    keys("list")
    assert all(secret not in file.read_bytes() for file in path.parent.iterdir())


def test_keys_are_listed_without_their_secrets_and_with_what_their_tenants_may_do(keys):
    _, first, _ = keys("create", "--tenant", "acme", "--jobs-at-once", "3", "--model", "openai/*", "--model", "sim/a")
    _, second, _ = keys("create", "--tenant", "acme", "--label", "two", "--calls-per-day", "9")
    code, out, _ = keys("list", "--json")
    assert code == 0
    limits = {"jobs_at_once": 3, "models": ["openai/*", "sim/a"], "calls_per_day": 9}
    assert [(row["tenant"], row["label"], row["limits"]) for row in json.loads(out)] == [
        ("acme", "", limits),
        ("acme", "two", limits),
    ]
    for line, shown in zip(keys("list")[1].splitlines(), (first, second), strict=True):
        assert line.split("\t")[:3] == [shown.split("_")[1], "acme", "opens"]
        assert shown.strip().split("_", 2)[2] not in line


def test_a_revoked_key_stays_in_the_list(keys, path):
    _, out, _ = keys("create")
    key_id = out.split("_")[1]
    assert keys("revoke", key_id)[0] == 0
    assert keys("list")[1].split("\t")[2] == "revoked"
    (key,) = (registered(path)).keys
    assert not opens(key, out.strip())


def test_what_is_no_key_or_no_tenant_is_named(keys):
    keys("create")
    code, out, err = keys("revoke", "nobody")
    assert (code, out) == (1, "")
    assert "there is no key nobody" in err
    for name in ("Big", "a b", "", "x" * 64, "../x"):
        code, out, err = keys("create", "--tenant", name)
        assert (code, out) == (2, "")
        assert "no name of a tenant" in err


def test_where_there_is_no_key_it_is_said(keys):
    assert keys("list") == (0, "", "there is no key: only this machine can ask, and needs none\n")


def test_limits_are_the_tenants_and_a_key_without_any_changes_none(keys, path):
    keys("create", "--tenant", "acme", "--tokens-per-day", "1000")
    keys("create", "--tenant", "acme")
    assert (registered(path)).allowances == {"acme": Allowance(tokens_per_day=1000)}
