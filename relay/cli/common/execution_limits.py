"""The options that bound one block's execution on a node."""

from typing import Annotated

import typer

ExecutionLimitS = Annotated[
    float,
    typer.Option(
        "--execution-limit-s",
        min=0.01,
        max=86_400,
        help="Seconds that one block may take to execute here; then the node halts (handbook: a poisoned block).",
    ),
]
ExecutionLimitMib = Annotated[
    int,
    typer.Option(
        "--execution-limit-mib",
        min=1,
        max=2**20,
        help="MiB that one block's execution may add to the process; then the node halts.",
    ),
]
DEFAULT_LIMIT_S = 120.0
DEFAULT_LIMIT_MIB = 2_048
