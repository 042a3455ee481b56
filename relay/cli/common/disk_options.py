"""Options of what a hub node may take of its disk."""

from typing import Annotated, TypeAlias

import typer

GIB = 1024**3

DatabaseGib: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=1024 * 1024,
        help="The most that the database may take, in GiB. A full one halts the node; its log warns from 80 % on.",
    ),
]
KeepBodiesGib: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=1024 * 1024,
        help="Transactions, receipts and results to keep, in GiB, beside those of the newest 1024 blocks; 0 all (default: 64).",
    ),
]
