"""The root of the command line: a damaged or unreachable database is said in a sentence, whichever command meets it."""

from __future__ import annotations

import sqlite3
from typing import Any

import typer
from sqlalchemy.exc import DBAPIError
from typer.core import TyperGroup


class ShouyuanGroup(TyperGroup):
    """Ends with exit code 2 where a database cannot be used; a mistake of ours still shows its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was called."""
        try:
            return super().invoke(ctx)
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            typer.echo(
                f"数据库不能用:{cause};请先运行 shouyuan doctor --data 数据文件夹,它会说哪个文件要怎么办"
                f" / a database cannot be used: {cause}; 'shouyuan doctor --data DIR' says which file and what to do",
                err=True,
            )
            raise typer.Exit(2) from error
