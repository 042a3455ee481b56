"""The parts of a node that has peers, put together: driver, gossip, connections; and what they say of themselves."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import trio

from hutong.light_clients.tendermint.types import SignedMessageType
from hutong.relay.evm.chain.mempool import Mempool
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.types import Equivocation
from hutong.relay.hub.engine.driver import Timeouts
from hutong.relay.hub.network.gossip import Gossip
from hutong.relay.hub.network.link.messages import PROTOCOL_VERSION, Hello
from hutong.relay.hub.network.link.node_key import NodeKey
from hutong.relay.hub.network.network_file import Network
from hutong.relay.hub.network.peer_driver import NetworkDriver
from hutong.relay.hub.network.switchboard import PeerRecord, Switchboard
from hutong.relay.hub.network.why import why_no_block
from hutong.relay.hub.remote_signer.client import NodeSigner, RemoteSigner
from hutong.relay.hub.remote_signer.keeping import keep_connected
from hutong.relay.telemetry import get_logger

_log = get_logger("consensus")


class NodeNetwork:
    """Owned by `serve_node`; `run` ends only by cancellation, a bug, or a reason to halt."""

    def __init__(
        self,
        home: Path,
        network: Network,
        node_key: NodeKey,
        ledger: HubLedger,
        signer: NodeSigner,
        mempool: Mempool,
        on_block: Callable[[int], Awaitable[None]],
        random: Random,
        on_equivocation: Callable[[Equivocation], None],
        **driver_options: Any,
    ) -> None:
        self._ledger = ledger
        self._own_address = signer.public_key.address
        self._last_block_at_s = trio.current_time()
        self._ended: str | None = None
        self._signer, self._random = signer, random
        gossip = self.gossip = Gossip(
            ledger.records,
            ledger.application,
            mempool,
            random,
            driver_options.get("run_blocking"),
            driver_options.get("skips"),
        )
        self.switchboard = Switchboard(home, network, node_key, self._hello, gossip.handle, gossip.connected, random)
        record = signer.record

        async def applied(height: int) -> None:
            self._last_block_at_s = trio.current_time()
            self._ended = None
            await on_block(height)

        self.driver = NetworkDriver(
            ledger,
            signer,
            self._own_address,
            mempool,
            applied,
            peers=gossip,
            signed_before=(record.height, record.round),
            on_equivocation=on_equivocation,
            on_waiting=self._wait_for_good,
            timeouts=Timeouts.among_peers(ledger.genesis.params),
            **driver_options,
        )
        gossip.switchboard, gossip.driver = self.switchboard, self.driver

    def _wait_for_good(self, reason: str) -> None:
        self._ended = reason
        _log.warning("no more blocks", reason=reason)

    def _hello(self) -> Hello:
        genesis, tip = self._ledger.genesis, self._ledger.tip
        return Hello(PROTOCOL_VERSION, genesis.chain_id, genesis.digest, tip.height, self._own_address)

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Run connections, driver and gossip until cancelled; started with the port that peers dial.

        Raises:
            ExceptionGroup: a bug, a port that cannot be had, or a reason to halt, such as KeyUsedElsewhere.
        """
        async with trio.open_nursery() as nursery:
            port = await nursery.start(self.switchboard.run)
            nursery.start_soon(self.driver.run)
            nursery.start_soon(self.gossip.run)
            if isinstance(self._signer, RemoteSigner):
                nursery.start_soon(keep_connected, self._signer, self.driver, self._random)
            task_status.started(port)

    def methods(self) -> Mapping[str, Method]:
        """`hutong_network`, which takes no parameters and answers `report`."""

        async def network(params: Params) -> Any:
            params.at_most(0)
            return self.report()

        return {"hutong_network": network}

    def report(self) -> dict[str, Any]:
        """What `hutong hub status` prints, as JSON: where the round stands, who voted, peers with reasons, signer.

        From the trio thread only, since it reads what the driver changes.
        """
        state, now_s = self.driver.state, trio.current_time()
        connected = {
            record.link.hello.consensus_address: record.peer.node_id
            for record in self.switchboard.records.values()
            if record.link is not None
        }
        prevotes = state.tally(state.round, SignedMessageType.PREVOTE).votes
        precommits = state.tally(state.round, SignedMessageType.PRECOMMIT).votes
        waited_s = now_s - self._last_block_at_s
        return {
            "chainId": state.chain_id,
            "nodeId": self.switchboard.node_id,
            "height": self._ledger.tip.height,
            "round": state.round,
            "step": state.step.name.lower(),
            "sinceLastBlockMs": round(waited_s * 1000),
            "whyNoBlock": self._ended
            or why_no_block(
                state, self._own_address, set(connected), waited_s, self._ledger.genesis.params.block_interval_ms
            ),
            "validators": [
                {
                    "address": f"0x{validator.address.hex()}",
                    "power": validator.voting_power,
                    "isThisNode": validator.address == self._own_address,
                    "peer": connected.get(validator.address),
                    "prevoted": index in prevotes,
                    "precommitted": index in precommits,
                }
                for index, validator in enumerate(state.validators.validators)
            ],
            "signer": self._signer_row(),
            "peers": [_peer_row(record, now_s) for record in self.switchboard.records.values()],
        }

    def _signer_row(self) -> dict[str, Any] | None:
        """None where the key is in this process."""
        if not isinstance(self._signer, RemoteSigner):
            return None
        place = self._signer.place
        return {
            "id": place.node_id,
            "address": str(place.endpoint),
            "connected": self._signer.is_connected,
            "reason": self.driver.signatures_due.reason,
        }


def _peer_row(record: PeerRecord, now_s: float) -> dict[str, Any]:
    link = record.link
    return {
        "id": record.peer.node_id,
        "address": str(record.peer.endpoint),
        "connected": link is not None,
        "height": None if link is None else max(0, link.height - 1),
        "points": round(record.score.now(now_s)),
        "sentAwayForMs": max(0, round((record.score.banned_until_s - now_s) * 1000)),
        "dropped": 0 if link is None else link.outbox.dropped,
        "reason": record.last_reason,
    }
