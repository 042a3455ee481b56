"""The parts of a node that has peers, put together: driver, gossip, connections; and what they say of themselves."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random
from typing import Any

import trio

from hutong.light_clients.tendermint.types import SignedMessageType
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.hub.consensus.types import Equivocation
from hutong.relay.hub.engine.driver import DrivenValidator
from hutong.relay.hub.engine.source_signer import SourceSigner
from hutong.relay.hub.network.gossip import Gossip
from hutong.relay.hub.network.link.messages import PROTOCOL_VERSION, Hello
from hutong.relay.hub.network.peer_driver import NetworkDriver
from hutong.relay.hub.network.switchboard import Conversation, NetworkedHome, PeerRecord, Switchboard
from hutong.relay.hub.network.why import why_no_block
from hutong.relay.hub.remote_signer.client import RemoteSigner
from hutong.relay.hub.remote_signer.keeping import keep_awake, keep_connected
from hutong.relay.telemetry import get_logger

_log = get_logger("consensus")


class NodeNetwork:
    """Owned by `serve_node`; `run` ends only by cancellation, a bug, or a reason to halt."""

    def __init__(
        self,
        own: NetworkedHome,
        validator: DrivenValidator,
        random: Random,
        on_equivocation: Callable[[Equivocation], None],
    ) -> None:
        """`random` spreads dials and statuses in time; `on_equivocation` is where evidence begins."""
        self._validator = validator
        self._last_block_at_s = trio.current_time()
        self._ended: str | None = None
        self._random = random
        ledger, record = validator.ledger, validator.signer.record
        gossip = self.gossip = Gossip(
            ledger.records, ledger.application, validator.mempool, random, validator.run_blocking, validator.skips
        )
        self.switchboard = Switchboard(own, Conversation(self._hello, gossip.handle, gossip.connected), random)
        self.driver = NetworkDriver(
            replace(validator, on_block=self._applied),
            gossip,
            (record.height, record.round),
            on_equivocation,
            self._wait_for_good,
        )
        gossip.switchboard, gossip.driver = self.switchboard, self.driver

    async def _applied(self, height: int) -> None:
        self._last_block_at_s = trio.current_time()
        self._ended = None
        await self._validator.on_block(height)

    def _wait_for_good(self, reason: str) -> None:
        self._ended = reason
        _log.warning("no more blocks", reason=reason)

    def _hello(self) -> Hello:
        genesis, tip = self._validator.ledger.genesis, self._validator.ledger.tip
        return Hello(PROTOCOL_VERSION, genesis.chain_id, genesis.digest, tip.height, self._validator.own_address)

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Run connections, driver and gossip until cancelled; started with the port that peers dial.

        Raises:
            ExceptionGroup: a bug, a port that cannot be had, or a reason to halt, such as KeyUsedElsewhere.
        """
        signer = self._validator.signer
        async with AsyncExitStack() as stack:
            if isinstance(signer, SourceSigner):
                await stack.enter_async_context(signer.source.in_this_run())
                # Before the driver reads the record.
                await trio.to_thread.run_sync(signer.complete)
            nursery = await stack.enter_async_context(trio.open_nursery())
            port = await nursery.start(self.switchboard.run)
            nursery.start_soon(self.driver.run)
            nursery.start_soon(self.gossip.run)
            if isinstance(signer, RemoteSigner | SourceSigner):
                nursery.start_soon(keep_connected, signer, self.driver, self._random)
            if isinstance(signer, SourceSigner):
                nursery.start_soon(keep_awake, signer)
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
            "height": self._validator.ledger.tip.height,
            "round": state.round,
            "step": state.step.name.lower(),
            "sinceLastBlockMs": round(waited_s * 1000),
            "whyNoBlock": self._ended
            or why_no_block(
                state,
                self._validator.own_address,
                set(connected),
                waited_s,
                self._validator.ledger.genesis.params.block_interval_ms,
            ),
            "validators": [
                {
                    "address": f"0x{validator.address.hex()}",
                    "power": validator.voting_power,
                    "isThisNode": validator.address == self._validator.own_address,
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
        """None where the key is in this home."""
        signer = self._validator.signer
        reason = self.driver.signatures_due.reason
        if isinstance(signer, SourceSigner):
            return {"id": signer.name, "address": "", "connected": signer.is_connected, "reason": reason}
        if not isinstance(signer, RemoteSigner):
            return None
        place = signer.place
        return {
            "id": place.node_id,
            "address": str(place.endpoint),
            "connected": signer.is_connected,
            "reason": reason,
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
