"""Open nbgrader's gradebook database, create a new one, and explain in a sentence why one cannot be used."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from nbgrader import dbutil
from nbgrader.api import Gradebook, InvalidEntry
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from autograder.errors import AutograderError
from autograder.results.files import temporary_name

TIMEOUT = 30.0
"""Seconds to wait for another program that is using the gradebook."""

ADVICE = {
    "locked": "close the program that is using it, and run the same command again; all results are kept.",
    "not a database": (
        "it is damaged or not a gradebook, and was not changed; restore a backup, or move the file to another folder."
    ),
    "malformed": "it is damaged, and was not changed; restore a backup, or move the file to another folder.",
    "full": "free some disk space, and run the same command again; all results are kept.",
    "readonly": "check the write permissions, and run the same command again; all results are kept.",
    "": "check the disk space and the write permissions, and run the same command again; all results are kept.",
}
"""Advice, by a word in the database's error message."""

log = logging.getLogger(__name__)


@contextmanager
def open_gradebook(db_url: str) -> Iterator[Gradebook]:
    """Open nbgrader's gradebook, and create it if there is none.

    Args:
        db_url: the database's address, as in nbgrader's `CourseDirectory.db_url`.

    Raises:
        AutograderError: the database cannot be used; the message says why and what to do.
    """
    check_gradebook(db_url)
    with _explain_errors(db_url):
        if (path := _file_of(db_url)) is not None:
            _create(path)
            db_url = make_url(db_url).update_query_dict({"timeout": str(_timeout(db_url))}).render_as_string(False)
        with Gradebook(db_url) as gradebook:
            yield gradebook


def check_gradebook(db_url: str) -> None:
    """Check, without changing it, that the gradebook can be written now or does not exist yet.

    Raises:
        AutograderError: another program is using it, it is damaged, or another version of nbgrader created it.
    """
    path = _file_of(db_url)
    if path is None or not path.exists() or path.stat().st_size == 0:
        return
    with _explain_errors(db_url), closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        _wait_for(connection, path, _timeout(db_url))
        if (report := connection.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(f"it is malformed: {report}")
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        version = (
            connection.execute("select * from alembic_version").fetchone() if "alembic_version" in tables else None
        )
    newest = _newest_version()
    if tables and version != (newest,):
        raise AutograderError(
            f"The gradebook {path} was created by another version of nbgrader and was not changed: run "
            f"`nbgrader db upgrade --db=sqlite:///{path}`, which makes a backup, and then the same command again."
        )


def _wait_for(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Wait until no other program is writing to the database; raise OperationalError if that takes too long."""
    deadline, warned = time.monotonic() + timeout, False
    while True:
        try:
            connection.execute("begin immediate")
            connection.execute("rollback")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            if not warned:
                log.warning("Another program is using the gradebook %s; waiting up to %g s.", path, timeout)
                warned = True
            time.sleep(min(0.25, timeout))


@contextmanager
def _explain_errors(db_url: str) -> Iterator[None]:
    """Turn an error of the database into an AutograderError with advice."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, InvalidEntry, OSError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        advice = next((advice for sign, advice in ADVICE.items() if sign in reason), ADVICE[""])
        place = make_url(db_url).database or db_url
        raise AutograderError(f"The gradebook {place} cannot be used ({reason}): {advice}") from None


def _file_of(db_url: str) -> Path | None:
    """Return the file of an SQLite database; None for other databases and for one in memory."""
    url = make_url(db_url)
    if not url.drivername.startswith("sqlite") or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def _timeout(db_url: str) -> float:
    """Return the seconds to wait for another program."""
    return float(str(make_url(db_url).query.get("timeout", TIMEOUT)))


def _create(path: Path) -> None:
    """Create a gradebook under a temporary name and rename it when it is complete, so that an interruption does no
    harm.

    Its version is written first: in a database without tables, nbgrader would start the program `alembic` to find out
    the version, which takes seconds and may not be on the path.
    """
    if path.exists() and path.stat().st_size > 0:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        with closing(sqlite3.connect(temporary)) as connection, connection:
            connection.execute("create table alembic_version (version_num varchar(32) not null)")
            connection.execute("insert into alembic_version values (?)", (_newest_version(),))
        with Gradebook(f"sqlite:///{temporary}"):
            pass
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _newest_version() -> str:
    """Return the version of the tables that the installed nbgrader creates."""
    return str(ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head())
