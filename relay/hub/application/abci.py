"""Requests and responses of ABCI 2.0, as far as the hub's application gives them content (cometbft abci/types.proto)."""

from dataclasses import dataclass
from enum import IntEnum

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.light_clients.tendermint.types import PublicKey
from hutong.relay.evm.vm.transaction import SignedTransaction

CODE_OK = 0
CODE_REVERTED = 1
CODE_INVALID = 2
"""In the block, but it could not be executed: no effect, no Ethereum receipt."""
CODE_UNKNOWN_PATH = 3
CODE_UNKNOWN_HEIGHT = 4
CODE_SKIPPED = 5
"""In a block that counts as empty by certificate: no effect, no Ethereum receipt, and it may be sent again."""


class ProposalVerdict(IntEnum):
    ACCEPT = 1
    REJECT = 2


class OfferVerdict(IntEnum):
    """ResponseOfferSnapshot.Result."""

    ACCEPT = 1
    ABORT = 2
    REJECT = 3
    REJECT_FORMAT = 4
    REJECT_SENDER = 5


class ChunkVerdict(IntEnum):
    """ResponseApplySnapshotChunk.Result."""

    ACCEPT = 1
    ABORT = 2
    RETRY = 3
    RETRY_SNAPSHOT = 4
    REJECT_SNAPSHOT = 5


@dataclass(frozen=True, slots=True)
class InfoResponse:
    data: str
    version: str
    app_version: int
    last_block_height: int
    last_block_app_hash: bytes


@dataclass(frozen=True, slots=True)
class InitChainResponse:
    app_hash: bytes


@dataclass(frozen=True, slots=True)
class PreparedProposal:
    """`unpayable`: of each sender that was passed over the first that it cannot pay for."""

    transactions: tuple[bytes, ...]
    unpayable: tuple[SignedTransaction, ...]


@dataclass(frozen=True, slots=True)
class CheckTxResponse:
    code: int
    log: str
    gas_wanted: int


@dataclass(frozen=True, slots=True)
class ExecTxResult:
    """Only code, data, gas wanted and gas used are hashed into `last_results_hash`."""

    code: int
    data: bytes
    log: str
    gas_wanted: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A validator signed two votes at `height`; powers and time are of the block there (cometbft abci.Misbehavior)."""

    address: bytes
    power: int
    height: int
    time_ns: int
    total_power: int


@dataclass(frozen=True, slots=True)
class FinalizeBlockRequest:
    """`hash` is the CometBFT block hash. `skip`: the certificate by which the block counts as empty."""

    height: int
    time_ns: int
    hash: bytes
    proposer_address: bytes
    transactions: tuple[bytes, ...]
    app_version: int
    misbehaviours: tuple[Misbehaviour, ...] = ()
    skip: SkipCertificate | None = None


@dataclass(frozen=True, slots=True)
class ValidatorUpdate:
    public_key: PublicKey
    power: int


@dataclass(frozen=True, slots=True)
class FinalizeBlockResponse:
    tx_results: tuple[ExecTxResult, ...]
    app_hash: bytes
    validator_updates: tuple[ValidatorUpdate, ...] = ()
    rules_version: int = 1
    """Of the next block."""


@dataclass(frozen=True, slots=True)
class QueryResponse:
    """`height` is the height whose header's app hash the proof verifies against: one above the queried version."""

    code: int
    log: str
    key: bytes
    value: bytes
    proof: bytes
    height: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as peers announce it: `metadata` is the manifest and `hash` its SHA-256 (docs/spec/hub-snapshot.md)."""

    height: int
    format: int
    chunks: int
    hash: bytes
    metadata: bytes


@dataclass(frozen=True, slots=True)
class OfferSnapshotResponse:
    """`reason` is for the log; ABCI has no field for it."""

    verdict: OfferVerdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApplySnapshotChunkResponse:
    """`reason` is for the log; ABCI has no field for it."""

    verdict: ChunkVerdict
    refetch_chunks: tuple[int, ...] = ()
    reject_senders: tuple[str, ...] = ()
    reason: str = ""
