"""`hutong hub signer start`: a process that holds a validator's key and its last-signed record, and nothing else."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import trio

from hutong.relay.hub.engine.signer import FileSigner, RecordedSigner
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.home.home import UnusableHome, load_genesis
from hutong.relay.hub.home.key_file import Password, load_key
from hutong.relay.hub.home.process import NodeHalted, NodeRefused, halt_reason, lock_home
from hutong.relay.hub.network.link.node_key import load_node_key
from hutong.relay.hub.remote_signer.key_place import load_key_table, source_signer_of
from hutong.relay.hub.remote_signer.places import load_nodes
from hutong.relay.hub.remote_signer.privval_home import DialledNode, load_node
from hutong.relay.hub.remote_signer.privval_service import PrivvalService, describe
from hutong.relay.hub.remote_signer.server import SignerServer
from hutong.relay.telemetry import configure_logs


def run_signer(home: Path, password: Password) -> None:
    """Serve nodes of ours, or the CometBFT node of privval.toml, until SIGTERM or SIGINT; the home stays locked until the end.

    Raises:
        NodeRefused: the home cannot be used, or another process runs in it.
        NodeHalted: it ran and must not go on, or its port cannot be had.
    """
    node = _dialled(home)
    if node is not None:
        _run_dialling(node, home, password)
        return
    try:
        nodes, node_key, chain_id = load_nodes(home), load_node_key(home), load_genesis(home).chain_id
        signer = own_signer_of(home, chain_id, password)
        server = SignerServer(home, nodes, signer, chain_id)
    except UnusableHome as error:
        raise NodeRefused(str(error)) from error
    configure_logs()
    try:
        trio.run(_until_signalled, server, f"signer {node_key.node_id} of {chain_id}", nodes.listen.host, signer)
    except BaseExceptionGroup as group:
        raise NodeHalted(f"signer halted: {halt_reason(group)}") from group


def _dialled(home: Path) -> DialledNode | None:
    try:
        return load_node(home)
    except UnusableHome as error:
        raise NodeRefused(str(error)) from error


def _run_dialling(node: DialledNode, home: Path, password: Password) -> None:
    try:
        signer = own_signer_of(home, node.chain_id, password)
    except UnusableHome as error:
        raise NodeRefused(str(error)) from error
    configure_logs()
    try:
        trio.run(_dialling_until_signalled, node, home, signer)
    except BaseExceptionGroup as group:
        raise NodeHalted(f"signer halted: {halt_reason(group)}") from group


def own_signer_of(home: Path, chain_id: str, password: Password) -> RecordedSigner:
    """The key of a signer's home, in its file or with a source, under the home's lock.

    Raises:
        UnusableHome: key or record cannot be used.
        NodeRefused: another process runs in the home.
    """
    table = load_key_table(home)
    key = None if table is not None else load_key(home, password)
    lock_home(home)
    # Under the lock: another process may have signed until it was free.
    if table is not None:
        return source_signer_of(home, table, chain_id)
    assert key is not None
    return FileSigner(home, key, chain_id)


async def _until_signalled(server: SignerServer, name: str, host: str, signer: RecordedSigner) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with asking_source(signer), trio.open_nursery() as nursery:
            port = await nursery.start(server.run)
            address = signer.public_key.address.hex().upper()
            _say(f"{name} ready on {host}:{port}: key {address}, record at height {signer.record.height}")
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break


async def _dialling_until_signalled(node: DialledNode, home: Path, signer: RecordedSigner) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with asking_source(signer), trio.open_nursery() as nursery:
            # Spreads attempts in time.
            nursery.start_soon(PrivvalService(node, signer, Random()).run)  # noqa: S311
            _say(describe(home, node, signer))
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


@asynccontextmanager
async def asking_source(signer: RecordedSigner) -> AsyncIterator[None]:
    """A key elsewhere is asked in this run, and let go of at its end."""
    if not isinstance(signer, SourceSigner):
        yield
        return
    async with signer.source.in_this_run():
        yield
