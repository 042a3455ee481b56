"""ABCI 2.0 calls: each request of CometBFT to the hub's machine and back (cometbft abci/types/types.proto)."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.protobuf import abci_pb2, cometbft_pb2, ics23_pb2
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.abci.snapshot_calls import snapshot_calls
from hutong.relay.hub.application.abci import (
    CODE_INVALID,
    CODE_UNKNOWN_HEIGHT,
    FinalizeBlockRequest,
    Misbehaviour,
    ProposalVerdict,
)
from hutong.relay.hub.application.governance.coming import RevisionEnded
from hutong.relay.hub.joining.state_sync import StateSync

SMT_PROOF_OP = "ics23:smt"
DUPLICATE_VOTE = 1
"""Misbehavior.type; attacks on light clients freeze clients, and are not recorded in the state."""
CONSENSUS_CALLS = frozenset(
    {
        "init_chain",
        "prepare_proposal",
        "process_proposal",
        "finalize_block",
        "commit",
        "offer_snapshot",
        "apply_snapshot_chunk",
    }
)
"""These execute or judge blocks, or restore state: one at a time, in a thread with the EVM's stack."""
FORGIVING_CALLS: Mapping[str, abci_pb2.Response] = {
    "query": abci_pb2.Response(query={"code": CODE_UNKNOWN_HEIGHT, "log": "internal error"}),
    "check_tx": abci_pb2.Response(check_tx={"code": CODE_INVALID, "log": "internal error"}),
    "list_snapshots": abci_pb2.Response(list_snapshots={}),
    "load_snapshot_chunk": abci_pb2.Response(load_snapshot_chunk={}),
}
"""Strangers send what these carry: a defect that they find is logged and refuses their request, but does not halt the hub."""

_LOGGER = logging.getLogger(__name__)


class NotEnabled(Exception):
    """CometBFT asks for vote extensions, which the hub's genesis leaves off."""


class AbciCalls:
    """Blocking. What `answer` raises is a bug or another chain's engine: the process must halt."""

    def __init__(self, machine: HubMachine, state_sync: StateSync | None = None) -> None:
        """Without `state_sync` no snapshot is offered, and none taken."""
        self._machine = machine
        self._state_sync = state_sync
        calls: dict[str, Callable[[Any], abci_pb2.Response]] = {
            "echo": lambda request: abci_pb2.Response(echo={"message": request.message}),
            "flush": lambda _: abci_pb2.Response(flush={}),
            "info": self._info,
            "init_chain": self._init_chain,
            "query": self._query,
            "check_tx": self._check_tx,
            "commit": self._commit,
            "prepare_proposal": self._prepare_proposal,
            "process_proposal": self._process_proposal,
            "finalize_block": self._finalize_block,
            "extend_vote": self._vote_extension,
            "verify_vote_extension": self._vote_extension,
        }
        self._calls: Mapping[str, Callable[[Any], abci_pb2.Response]] = calls | snapshot_calls(state_sync)

    def answer(self, request: abci_pb2.Request) -> abci_pb2.Response:
        """CometBFT's request to the machine, and its answer. What FORGIVING_CALLS names never raises.

        Raises:
            NotEnabled: vote extensions are asked for.
            GenesisDiffers: CometBFT starts another chain.
            ExecutionFailed, SkipAwaited: a decided block cannot, or may not, be executed.
            Exception: any other is a reason to halt too.
        """
        kind = request.WhichOneof("value")
        assert kind is not None, "the reader refuses such requests"
        call = self._calls[kind]
        if kind not in FORGIVING_CALLS:
            return call(getattr(request, kind))
        try:
            return call(getattr(request, kind))
        except Exception:  # no block depends on the answer, and whoever asked is a stranger: FORGIVING_CALLS says why
            _LOGGER.exception("ABCI call %s failed", kind)
        return FORGIVING_CALLS[kind]

    def _info(self, _: abci_pb2.RequestInfo) -> abci_pb2.Response:
        info = self._machine.info()
        return abci_pb2.Response(
            info={
                "data": info.data,
                "version": info.version,
                "app_version": info.app_version,
                "last_block_height": info.last_block_height,
                "last_block_app_hash": info.last_block_app_hash,
            }
        )

    def _init_chain(self, request: abci_pb2.RequestInitChain) -> abci_pb2.Response:
        """Validators and params stay those of the genesis document that was just compared."""
        if self._state_sync is not None:
            self._state_sync.discard_unfinished()
        app_hash = self._machine.init_chain(request)
        return abci_pb2.Response(init_chain={"app_hash": app_hash, "validators": request.validators})

    def _check_tx(self, request: abci_pb2.RequestCheckTx) -> abci_pb2.Response:
        verdict = self._machine.pool.check(request.tx)
        return abci_pb2.Response(check_tx={"code": verdict.code, "log": verdict.log, "gas_wanted": verdict.gas_wanted})

    def _prepare_proposal(self, request: abci_pb2.RequestPrepareProposal) -> abci_pb2.Response:
        """From the mirror, not from the request: CometBFT's order of arrival would let a later nonce fail an earlier one,
        and whoever sends transactions that wait behind a gap could fill every block with them."""
        application, pool = self._machine.application, self._machine.pool
        proposed = application.prepare_proposal(pool.candidates(), request.max_tx_bytes)
        pool.mempool.drop_unpayable(proposed.unpayable)
        return abci_pb2.Response(prepare_proposal={"txs": proposed.transactions})

    def _process_proposal(self, request: abci_pb2.RequestProcessProposal) -> abci_pb2.Response:
        coming = self._machine.application.coming
        status = abci_pb2.ResponseProcessProposal
        try:
            coming.require_block(request.height)
        except RevisionEnded as error:
            # The node goes on without blocks: others may still need the last one from it.
            _LOGGER.warning("%s", error)
            return abci_pb2.Response(process_proposal={"status": status.REJECT})
        version = coming.rules_version(request.height)
        verdict = self._machine.application.process_proposal(tuple(request.txs), version)
        accepted = verdict is ProposalVerdict.ACCEPT
        return abci_pb2.Response(process_proposal={"status": status.ACCEPT if accepted else status.REJECT})

    def _finalize_block(self, request: abci_pb2.RequestFinalizeBlock) -> abci_pb2.Response:
        version = self._machine.application.coming.rules_version(request.height)
        response = self._machine.finalize_block(
            FinalizeBlockRequest(
                request.height,
                request.time.seconds * NANOSECONDS_PER_SECOND + request.time.nanos,
                request.hash,
                request.proposer_address,
                tuple(request.txs),
                version,
                tuple(
                    Misbehaviour(
                        item.validator.address,
                        item.validator.power,
                        item.height,
                        item.time.seconds * NANOSECONDS_PER_SECOND + item.time.nanos,
                        item.total_voting_power,
                    )
                    for item in request.misbehavior
                    if item.type == DUPLICATE_VOTE
                ),
            )
        )
        results = [
            abci_pb2.ExecTxResult(
                code=result.code,
                data=result.data,
                log=result.log,
                gas_wanted=result.gas_wanted,
                gas_used=result.gas_used,
            )
            for result in response.tx_results
        ]
        updates = [
            abci_pb2.ValidatorUpdate(
                pub_key=cometbft_pb2.PublicKey(secp256k1=update.public_key.data), power=update.power
            )
            for update in response.validator_updates
        ]
        changed = None if response.rules_version == version else {"version": {"app": response.rules_version}}
        return abci_pb2.Response(
            finalize_block={
                "tx_results": results,
                "validator_updates": updates,
                "app_hash": response.app_hash,
                "consensus_param_updates": changed,
            }
        )

    def _commit(self, _: abci_pb2.RequestCommit) -> abci_pb2.Response:
        """Retain height 0: CometBFT keeps every block, so that any member can replay the chain."""
        self._machine.commit()
        return abci_pb2.Response(commit={})

    def _query(self, request: abci_pb2.RequestQuery) -> abci_pb2.Response:
        path = request.path.decode(errors="replace")
        answer = self._machine.application.query(path, request.data, request.height, prove=request.prove)
        proof_ops = None
        if answer.proof:
            message = ics23_pb2.MerkleProof.FromString(answer.proof)
            proof_ops = abci_pb2.ProofOps(
                ops=[
                    abci_pb2.ProofOp(
                        type=SMT_PROOF_OP, key=answer.key, data=proof.SerializeToString(deterministic=True)
                    )
                    for proof in message.proofs
                ]
            )
        return abci_pb2.Response(
            query={
                "code": answer.code,
                "log": answer.log,
                "key": answer.key,
                "value": answer.value,
                "proof_ops": proof_ops,
                "height": answer.height,
            }
        )

    def _vote_extension(self, _: object) -> abci_pb2.Response:
        raise NotEnabled("vote extensions are not enabled in the hub's genesis")
