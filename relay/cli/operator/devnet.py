"""`hutong devnet`: EVM consortium chains, a simulated beacon chain and a signed log for development."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.devnet.settings import (
    DEFAULT_PERIOD_MS,
    DEFAULT_PORT,
    DEFAULT_PROOF_BLOCK_MS,
    DEFAULT_VALIDATORS,
    Consensus,
    DevnetError,
    Genesis,
    Pace,
    funding_of,
)
from hutong.relay.evm.vm.rules import Fork

if TYPE_CHECKING:
    from hutong.relay.devnet.beacon_node import BeaconPace

DEFAULT_CHAIN_ID = 31_337

app = command_group("EVM consortium chains and signed logs for development.")


@app.callback()
def _group() -> None:
    """Keep `start` a subcommand, also while it is the only one."""


@dataclass(frozen=True, slots=True)
class PaceOptions:
    """When blocks come."""

    period_ms: Annotated[int, typer.Option(help="Time between blocks.")] = DEFAULT_PERIOD_MS
    proof_block_ms: Annotated[int, typer.Option(help="Time to the next block after one that changed the state.")] = (
        DEFAULT_PROOF_BLOCK_MS
    )

    def pace(self) -> Pace:
        """The same as a chain keeps it.

        Raises:
            DevnetError: a time is out of its bounds.
        """
        return Pace(self.period_ms, self.proof_block_ms)


@dataclass(frozen=True, slots=True)
class GenesisOptions:
    """What a new chain begins with."""

    fork: Annotated[Fork, typer.Option(help="Rules of the EVM.")] = "prague"
    consensus: Annotated[Consensus, typer.Option(help="Who seals blocks, and how.")] = "qbft"
    validators: Annotated[int, typer.Option(help="Validators or signers of a new chain.")] = DEFAULT_VALIDATORS
    fund: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS[=WEI]", help="Account that a new chain's genesis funds; may be repeated."),
    ] = None

    def genesis(self, chain_id: int) -> Genesis:
        """The same as a chain takes it, without its validators.

        Raises:
            DevnetError: a balance is neither ADDRESS nor ADDRESS=WEI, or a value is out of its bounds.
        """
        funds_wei = dict(map(funding_of, self.fund or []))
        return Genesis(chain_id, self.fork, funds_wei=funds_wei, consensus=self.consensus)


@app.command()
def start(
    home: Annotated[Path | None, typer.Option(help="Where the chain is kept; in memory unless given.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="HTTP and WebSocket JSON-RPC; 0 takes a free one.")
    ] = DEFAULT_PORT,
    chain_id: Annotated[int, typer.Option(help="EIP-155 chain id.")] = DEFAULT_CHAIN_ID,
    *,
    kept_pace: PaceOptions,
    beginning: GenesisOptions,
) -> None:
    """Run a chain sealed by its own keys until SIGTERM or SIGINT. Prints one line, which ends in its URL, when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    from hutong.relay.devnet.chain import DevnetChain
    from hutong.relay.devnet.running import run_devnet

    def ready(chain: DevnetChain, url: str) -> None:
        typer.echo(
            f"hutong devnet: chain {chain.chain_id} ({beginning.fork}, {len(chain.validators)} validators) at {url}"
        )

    with _refusals():
        genesis, pace = beginning.genesis(chain_id), kept_pace.pace()
        run_devnet(home, genesis, pace, beginning.validators, (host, port), ready)


@dataclass(frozen=True, slots=True)
class BeaconOptions:
    """The slots of a beacon chain, and what its execution chain begins with."""

    seconds_per_slot: Annotated[int, typer.Option(help="Time between blocks.")] = 2
    slots_per_epoch: Annotated[int, typer.Option(help="Blocks are final two epochs later.")] = 4
    epochs_per_period: Annotated[int, typer.Option(help="How long one sync committee signs.")] = 8
    fund: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS[=WEI]", help="Account that the genesis funds; may be repeated.")
    ] = None

    def genesis(self, chain_id: int) -> Genesis:
        """The same as a chain takes it.

        Raises:
            DevnetError: a balance is neither ADDRESS nor ADDRESS=WEI.
        """
        return Genesis(chain_id, funds_wei=dict(map(funding_of, self.fund or [])))

    def pace(self) -> "BeaconPace":
        """The same as a beacon chain keeps it.

        Raises:
            DevnetError: a number is out of its bounds.
        """
        from hutong.relay.devnet.beacon_node import BeaconPace

        return BeaconPace.of(self.seconds_per_slot, self.slots_per_epoch, self.epochs_per_period)


@app.command()
def beacon(
    network_file: Annotated[
        Path, typer.Option(help="Where the answers are written that a relay's `network` and `hutong verify` read.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="JSON-RPC and Beacon API; 0 takes a free one.")
    ] = DEFAULT_PORT,
    chain_id: Annotated[int, typer.Option(help="EIP-155 chain id.")] = DEFAULT_CHAIN_ID,
    *,
    beacons: BeaconOptions,
) -> None:
    """Run a chain under a simulated beacon chain, whose sync committees of 32 sign with real keys, until SIGTERM or SIGINT.

    Nothing is kept, and there are no validators: it stands in where no real devnet can run. Prints one line, which ends in
    the URL of both the execution and the Beacon API, when a block is final.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    from hutong.relay.devnet.beacon_json import network_document
    from hutong.relay.devnet.beacon_node import BeaconDevnet
    from hutong.relay.devnet.beacon_running import run_beacon_devnet

    def ready(url: str) -> None:
        typer.echo(f"hutong devnet: chain {chain_id} under a simulated beacon chain at {url}")

    with _refusals():
        chains = BeaconDevnet(beacons.genesis(chain_id), beacons.pace())
        try:
            write_durably(network_file, network_document(chains.network).encode(), READABLE)
        except OSError as error:
            raise DevnetError(f"{network_file} cannot be written: {error.strerror or error}") from None
        run_beacon_devnet(chains, (host, port), ready)


@app.command("log")
def signed_log(
    home: Annotated[
        Path | None, typer.Option(help="Where log and keys are kept; gone at the end unless given.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="HTTP; 0 takes a free one.")] = DEFAULT_PORT,
    origin: Annotated[
        str, typer.Option(help="Name of the log, the first line of its checkpoints.")
    ] = "log.devnet/registry",
    witnesses: Annotated[int, typer.Option(help="Cosigners; a reader asks for more than half of them.")] = 3,
    heartbeat: Annotated[float, typer.Option(help="Seconds after which an idle log is cosigned anew.")] = 60.0,
) -> None:
    """Run a signed append-only log (C2SP tlog-tiles) with its witnesses until SIGTERM or SIGINT.

    GET /checkpoint, /tile/… and /trusted.json read it. POST /append (application/octet-stream) appends an entry, POST
    /publish (application/json: key, value in hex) a message that the publisher signs. Prints one line, which ends in its
    URL, when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    from hutong.relay.devnet.log import LogSettings
    from hutong.relay.devnet.log.home import SignedLog
    from hutong.relay.devnet.log.running import run_log

    def ready(log: SignedLog, url: str) -> None:
        typer.echo(f"hutong devnet: log {origin} ({log.tree.size} entries, {witnesses} witnesses) at {url}")

    with _refusals():
        if not 0.1 <= heartbeat <= 86_400:
            raise DevnetError(f"--heartbeat {heartbeat} is not within 0.1 and 86400 s")
        run_log(home, LogSettings(origin, witnesses), (host, port), heartbeat, ready)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except DevnetError as error:
        raise Refused(f"unusable input: {error}", UNUSABLE) from None
