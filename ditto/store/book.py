"""The skills in the database: one row, of the newest version."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, func, insert, select

from ditto.domain.skills.sheet import NOTHING, Skills
from ditto.errors import JournalUnreadable
from ditto.store.port import Learned
from ditto.store.tables import from_us, skills, to_us

_adapter = TypeAdapter(Skills)


def newest(connection: Connection) -> Learned:
    """Returns what was learned, nothing where there is no row.

    Raises:
        JournalUnreadable: A later version has learned it.
    """
    row = connection.execute(select(skills).order_by(skills.c.version.desc()).limit(1)).first()
    if row is None:
        return Learned(skills=NOTHING, since=from_us(0))
    try:
        return Learned(skills=_adapter.validate_json(row.body), since=from_us(row.since_us))
    except ValidationError as error:
        raise JournalUnreadable(f"skills of version {row.version} are none that this version knows") from error


def keep(connection: Connection, learned: Learned) -> bool:
    """Keeps what was learned in place of what is there; returns False where that is as new."""
    there = connection.execute(select(func.max(skills.c.version))).scalar()
    if there is not None and there >= learned.skills.version:
        return False
    connection.execute(delete(skills))
    body = _adapter.dump_json(learned.skills)
    connection.execute(insert(skills).values(version=learned.skills.version, since_us=to_us(learned.since), body=body))
    return True
