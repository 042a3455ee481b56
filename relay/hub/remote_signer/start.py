"""`hutong hub signer start`: a process that holds a validator's key and its last-signed record, and nothing else."""

import signal
import sys
from pathlib import Path

import trio

from hutong.relay.hub.engine.signer import FileSigner
from hutong.relay.hub.home.home import UnusableHome, load_genesis
from hutong.relay.hub.home.key_file import Password, load_key
from hutong.relay.hub.home.process import NodeHalted, NodeRefused, halt_reason, lock_home
from hutong.relay.hub.network.link.node_key import load_node_key
from hutong.relay.hub.remote_signer.places import load_nodes
from hutong.relay.hub.remote_signer.server import SignerServer
from hutong.relay.telemetry import configure_logs


def run_signer(home: Path, password: Password) -> None:
    """Serve until SIGTERM or SIGINT; the home stays locked until the process ends.

    Raises:
        NodeRefused: the home cannot be used, or another process runs in it.
        NodeHalted: it ran and must not go on, or its port cannot be had.
    """
    try:
        nodes, node_key, chain_id = load_nodes(home), load_node_key(home), load_genesis(home).chain_id
        key = load_key(home, password)
        lock_home(home)
        # Under the lock: another process may have signed until it was free.
        signer = FileSigner(home, key, chain_id)
        server = SignerServer(home, nodes, signer, chain_id)
    except UnusableHome as error:
        raise NodeRefused(str(error)) from error
    configure_logs()
    try:
        trio.run(_until_signalled, server, f"signer {node_key.node_id} of {chain_id}", nodes.listen.host, signer)
    except BaseExceptionGroup as group:
        raise NodeHalted(f"signer halted: {halt_reason(group)}") from group


async def _until_signalled(server: SignerServer, name: str, host: str, signer: FileSigner) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            port = await nursery.start(server.run)
            address = signer.public_key.address.hex().upper()
            sys.stdout.write(f"{name} ready on {host}:{port}: key {address}, record at height {signer.record.height}\n")
            sys.stdout.flush()
            async for _ in signals:
                nursery.cancel_scope.cancel()
                break
