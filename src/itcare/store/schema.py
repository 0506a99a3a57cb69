"""Bringing a database to the newest schema with the migrations shipped in this package."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from itcare.store.engine import write

SCRIPTS = "itcare.store:migrations"
"""Where Alembic finds the migrations."""


def migrate(engine: Engine) -> None:
    """Apply every migration the database has not seen, in one transaction. Raises BusyError."""
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    with write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
