"""`lacuna dags`: the DAG files, brought to where Airflow looks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from lacuna.pipelines.cli.options import local, out

__all__ = ["dags"]


def dags(
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="FOLDER", parser=local("--into"), help="Copy them here: Airflow's folder of DAGs."
        ),
    ] = None,
) -> None:
    """Copy the Airflow DAG to where the scheduler looks, or say where it lies.

    A copy that a person edited is never overwritten: what is new stands beside it as `<name>.py.new`, which Airflow
    does not read. A second time changes nothing.

    For example:

    `lacuna dags --into $AIRFLOW_HOME/dags`
    """
    from lacuna.pipelines.runtime.dag_files import copy_dags, dag_files

    if into is None:
        for path in dag_files():
            out.print(escape(str(path)), highlight=False, soft_wrap=True)
        return
    for path, state in copy_dags(into):
        out.print(f"{state:<9} {escape(str(path))}", highlight=False, soft_wrap=True)
