"""The store is one line of settings: a file or a PostgreSQL address, whose password nothing shows."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ditto.errors import ConfigurationError
from ditto.settings import from_args
from ditto.settings.stores import PostgresAddress

SECRET = "p%40ss/w:rd"
ADDRESSES = [
    f"postgresql://ann:{SECRET}@db.example:5432/ditto",
    f"postgres://ann:{SECRET}@db.example/ditto?sslmode=require",
    f"postgresql://db.example/ditto?user=ann&password={SECRET}",
    f"postgresql://ann:un@{SECRET}@db.example/ditto",
]


def store(given: object) -> object:
    return from_args({"store": given}, source="the file").store


def test_a_path_is_a_file_and_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert store("journal.db") == tmp_path / "journal.db"
    assert store("~/journal.db") == Path.home() / "journal.db"
    assert from_args({"store": "x"}, source="the file").store_is_file


def test_the_environment_names_a_file_or_a_database(monkeypatch):
    monkeypatch.setenv("DITTO_STORE", "/data/[1].db")
    assert from_args({}, source="the environment").store == Path("/data/[1].db")
    monkeypatch.setenv("DITTO_STORE", ADDRESSES[0])
    settings = from_args({}, source="the environment")
    assert settings.store == PostgresAddress(ADDRESSES[0])
    assert not settings.store_is_file


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_text_shows_the_password(address):
    settings = from_args({"store": address}, source="the file")
    kept = settings.store
    for text in (str(kept), repr(kept), repr(settings), str(settings), f"{kept}", str(settings.model_dump())):
        assert SECRET not in text
        assert "db.example" in text
    assert kept.hidden_in(f"bad word {SECRET} or p@ss/w:rd") == "bad word *** or ***" or "un@" in address
    assert kept.secret == address


def test_other_processes_get_the_whole_address():
    kept = store(ADDRESSES[0])
    assert pickle.loads(pickle.dumps(kept)).secret == ADDRESSES[0]


@pytest.mark.parametrize(("given", "said"), [("redis://h/0", "redis is no store"), (5, "must be a file's path")])
def test_anything_else_is_one_line_that_names_the_setting(given, said):
    with pytest.raises(ConfigurationError, match=f"the file: store: {said}"):
        store(given)


def test_a_wrong_setting_beside_it_does_not_show_the_password():
    with pytest.raises(ConfigurationError) as error:
        from_args({"store": ADDRESSES[0], "nonsense": 1}, source="the file")
    assert SECRET not in str(error.value)
