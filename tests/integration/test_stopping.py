"""A service that stops goes all the way, whoever listens to what it says."""

from __future__ import annotations

import errno
import io
import sys

import pytest

from ditto.settings import from_args


class Gone(io.StringIO):
    """A terminal that has been closed."""

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Serve's own
def test_a_service_whose_terminal_has_gone_stops_as_any_other(monkeypatch):
    from ditto import serve

    async def left(settings):
        return 1

    monkeypatch.setattr(serve.cluster, "drain", left)
    monkeypatch.setattr(sys, "stdout", Gone())
    serve._drain(from_args({}, source="x"))
    assert "1 jobs have not ended" in sys.stdout.getvalue()
