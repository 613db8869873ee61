"""Prompts made of a row's columns: `Classify: {text}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Formatter

from ditto.domain.spec import JSON


class Template:
    """A prompt with the names of columns in braces; `{{` and `}}` stand for the braces themselves.

    Raises:
        ValueError: A brace has no partner, or what stands in braces is no plain name.
    """

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str | None]] = []
        for literal, name, form, conversion in Formatter().parse(text):
            if name is not None and (not name.strip() or form or conversion):
                raise ValueError(f"{{{name}}} is no name of a column; a brace itself is written twice")
            self._parts.append((literal, name))
        self.columns = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))

    def fill(self, row: Mapping[str, JSON]) -> str:
        """Returns the prompt for this row; values that are no text are put in as JSON.

        Raises:
            ValueError: The row lacks a column.
        """
        missing = [name for name in self.columns if name not in row]
        if missing:
            raise ValueError(f"the row has no {', '.join(missing)}; it has {', '.join(row) or 'nothing'}")
        return "".join(literal + ("" if name is None else _text(row[name])) for literal, name in self._parts)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
