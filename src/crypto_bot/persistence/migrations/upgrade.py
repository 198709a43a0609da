"""Bring a schema forward with Alembic; imported only when there is something to do."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def known_revisions(scripts: Path) -> tuple[str, ...]:
    """Return every revision the scripts know, newest first."""
    return tuple(script.revision for script in ScriptDirectory(str(scripts)).walk_revisions())


def upgrade(connection: Connection, scripts: Path) -> None:
    """Run the missing scripts inside the connection's open transaction."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
