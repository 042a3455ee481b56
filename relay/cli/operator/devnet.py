"""`hutong devnet`: an EVM consortium chain for development."""

import re
import signal
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.devnet.settings import (
    DEFAULT_FUNDING_WEI,
    DEFAULT_PERIOD_MS,
    DEFAULT_PORT,
    DEFAULT_PROOF_BLOCK_MS,
    DEFAULT_VALIDATORS,
    Consensus,
    DevnetError,
    Genesis,
    Pace,
)
from hutong.relay.evm.vm.rules import Fork

DEFAULT_CHAIN_ID = 31_337
_FUND = re.compile(r"(?:0x)?([0-9a-fA-F]{40})(?:=([0-9]{1,60}))?")

app = command_group("EVM consortium chains for development.")


@app.callback()
def _group() -> None:
    """Keep `start` a subcommand, also while it is the only one."""


@app.command()
def start(
    home: Annotated[Path | None, typer.Option(help="Where the chain is kept; in memory unless given.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="HTTP and WebSocket JSON-RPC; 0 takes a free one.")] = DEFAULT_PORT,
    chain_id: Annotated[int, typer.Option(help="EIP-155 chain id.")] = DEFAULT_CHAIN_ID,
    period_ms: Annotated[int, typer.Option(help="Time between blocks.")] = DEFAULT_PERIOD_MS,
    proof_block_ms: Annotated[
        int, typer.Option(help="Time to the next block after one that changed the state.")
    ] = DEFAULT_PROOF_BLOCK_MS,
    fork: Annotated[Fork, typer.Option(help="Rules of the EVM.")] = "prague",
    consensus: Annotated[Consensus, typer.Option(help="Who seals blocks, and how.")] = "qbft",
    validators: Annotated[int, typer.Option(help="Validators or signers of a new chain.")] = DEFAULT_VALIDATORS,
    fund: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS[=WEI]", help="Account that a new chain's genesis funds; may be repeated."),
    ] = None,
) -> None:
    """Run a chain sealed by its own keys until SIGTERM or SIGINT. Prints one line, which ends in its URL, when ready.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.devnet.chain import DevnetChain
    from hutong.relay.devnet.node import Devnet, innermost, open_home, serve_devnet
    from hutong.relay.evm.store.lmdb_store import StoreFull

    async def run(chain: DevnetChain) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                node: Devnet = await nursery.start(serve_devnet, chain, host, port)
                typer.echo(
                    f"hutong devnet: chain {chain.chain_id} ({fork}, {len(chain.validators)} validators) at {node.url}"
                )
                async for _ in signals:
                    break
                nursery.cancel_scope.cancel()

    refusal: BaseException | None = None
    try:
        genesis = Genesis(chain_id, fork, funds_wei=dict(map(_funding, fund or [])), consensus=consensus)
        pace = Pace(period_ms, proof_block_ms)
        with open_home(home) as store:
            trio.run(run, DevnetChain(store, genesis, pace, validators=validators))
    except* DevnetError as errors:
        refusal = innermost(errors)
    except* StoreFull as errors:
        refusal = DevnetError(f"stopped: {innermost(errors)}; nothing is lost, free space and start it again")
    if refusal is not None:
        raise Refused(f"unusable input: {refusal}", UNUSABLE)


@app.command()
def beacon(
    network_file: Annotated[
        Path, typer.Option(help="Where the answers are written that a relay's `network` and `hutong verify` read.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="JSON-RPC and Beacon API; 0 takes a free one.")] = DEFAULT_PORT,
    chain_id: Annotated[int, typer.Option(help="EIP-155 chain id.")] = DEFAULT_CHAIN_ID,
    seconds_per_slot: Annotated[int, typer.Option(help="Time between blocks.")] = 2,
    slots_per_epoch: Annotated[int, typer.Option(help="Blocks are final two epochs later.")] = 4,
    epochs_per_period: Annotated[int, typer.Option(help="How long one sync committee signs.")] = 8,
    fund: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS[=WEI]", help="Account that the genesis funds; may be repeated."),
    ] = None,
) -> None:
    """Run a chain under a simulated beacon chain, whose sync committees of 32 sign with real keys, until SIGTERM or SIGINT.

    Nothing is kept, and there are no validators: it stands in where no real devnet can run. Prints one line, which ends in
    the URL of both the execution and the Beacon API, when a block is final.

    Exit codes: 0 stopped as told, 2 it cannot start.
    """
    import trio

    from hutong.relay.devnet.beacon_json import network_document
    from hutong.relay.devnet.beacon_node import BeaconDevnet, BeaconNode, BeaconPace, serve_beacon_devnet
    from hutong.relay.devnet.node import innermost

    async def run(chains: BeaconDevnet) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                node: BeaconNode = await nursery.start(serve_beacon_devnet, chains, host, port)
                typer.echo(f"hutong devnet: chain {chain_id} under a simulated beacon chain at {node.url}")
                async for _ in signals:
                    break
                nursery.cancel_scope.cancel()

    refusal: BaseException | None = None
    try:
        genesis = Genesis(chain_id, funds_wei=dict(map(_funding, fund or [])))
        pace = BeaconPace.of(seconds_per_slot, slots_per_epoch, epochs_per_period)
        chains = BeaconDevnet(genesis, pace)
        try:
            write_durably(network_file, network_document(chains.network).encode(), READABLE)
        except OSError as error:
            raise DevnetError(f"{network_file} cannot be written: {error.strerror or error}") from None
        trio.run(run, chains)
    except* DevnetError as errors:
        refusal = innermost(errors)
    if refusal is not None:
        raise Refused(f"unusable input: {refusal}", UNUSABLE)


def _funding(text: str) -> tuple[bytes, int]:
    match = _FUND.fullmatch(text)
    if match is None:
        raise DevnetError(f"--fund {text[:80]} is not an address of 20 bytes in hex, optionally followed by =WEI")
    return bytes.fromhex(match[1]), DEFAULT_FUNDING_WEI if match[2] is None else int(match[2])
