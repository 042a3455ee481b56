"""Options of a node's process that `hutong hub start` and `hutong hub abci` share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hutong.relay.hub.chain.execution_guard import ExecutionLimits

_GIB = 1024**3

EthereumPort = Annotated[int, typer.Option(min=0, max=65_535, help="eth_* JSON-RPC; 0 takes a free one.")]
KeepSnapshots = Annotated[int, typer.Option(min=1, max=100, help="Older snapshots are removed.")]


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What a node may take of its disk."""

    keep_states_h: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100_000,
            help="Hours of states to keep for proofs and calls; 0 all (default: the trusting period).",
        ),
    ] = None
    keep_bodies_gib: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1024 * 1024,
            help="Transactions, receipts and results to keep, in GiB, beside those of the newest 1024 blocks; 0 all (default: 64).",
        ),
    ] = None
    database_gib: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1024 * 1024,
            help="The most that the database may take, in GiB. A full one halts the node; its log warns from 80 % on.",
        ),
    ] = 256

    @property
    def database_bytes(self) -> int:
        """The most that the database may take."""
        return int(self.database_gib * _GIB)


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """What one block's execution may take of a node."""

    execution_limit_s: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=86_400,
            help="Seconds that one block may take to execute here; then the node halts (handbook: a poisoned block).",
        ),
    ] = 120.0
    execution_limit_mib: Annotated[
        int,
        typer.Option(
            min=1, max=2**20, help="MiB that one block's execution may add to the process; then the node halts."
        ),
    ] = 2_048

    def limits(self) -> "ExecutionLimits":
        """The same as a node takes them."""
        from hutong.relay.hub.chain.execution_guard import ExecutionLimits

        return ExecutionLimits(self.execution_limit_s, self.execution_limit_mib)
