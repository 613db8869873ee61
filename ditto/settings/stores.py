"""Where the journal is: a file, or a PostgreSQL database whose password no text of Ditto's ever shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_SCHEMES = ("postgresql://", "postgres://")
_USER_PASSWORD = re.compile(r"(?<=://)(?P<user>[^:@/?#]*):(?P<password>.*)(?=@)")
"""Up to the last `@`: a password whose own signs were not encoded is hidden too."""
_GIVEN_PASSWORD = re.compile(r"(?<=[?&])(?P<name>password|sslpassword)=(?P<password>[^&]*)")
_HIDDEN = "***"


class PostgresAddress:
    """The address of a database as its users give it, `postgresql://user:password@host/name`.

    As text it is the address without its passwords; `secret` is the whole.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @property
    def secret(self) -> str:
        return self._secret

    def hidden_in(self, text: str) -> str:
        """Returns the text without this address's passwords."""
        for word in self._passwords():
            text = text.replace(word, _HIDDEN)
        return text

    def __str__(self) -> str:
        without = _USER_PASSWORD.sub(rf"\g<user>:{_HIDDEN}", self._secret)
        return _GIVEN_PASSWORD.sub(rf"\g<name>={_HIDDEN}", without)

    def __repr__(self) -> str:
        return f"PostgresAddress({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PostgresAddress) and other._secret == self._secret

    def __hash__(self) -> int:
        return hash(self._secret)

    def __reduce__(self) -> tuple[Any, ...]:
        return PostgresAddress, (self._secret,)

    def _passwords(self) -> list[str]:
        forms = (_USER_PASSWORD, _GIVEN_PASSWORD)
        given = [found["password"] for form in forms for found in form.finditer(self._secret)]
        return sorted({word for one in given for word in (one, unquote(one)) if word}, key=len, reverse=True)


Store = Path | PostgresAddress


def store_at(given: Any) -> Store:
    """Returns the store that a setting names: an address of PostgreSQL, else a file.

    Raises:
        ValueError: It names neither.
    """
    if isinstance(given, PostgresAddress):
        return given
    if not isinstance(given, str | Path):
        raise ValueError("must be a file's path, or postgresql://user:password@host/database")
    text = str(given)
    if text.startswith(_SCHEMES):
        return PostgresAddress(text)
    if "://" in text:
        raise ValueError(
            f"{text.partition('://')[0]} is no store that Ditto knows: take a file's path or postgresql://…"
        )
    return Path(text).expanduser().absolute()
