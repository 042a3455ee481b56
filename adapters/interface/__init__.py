"""What every adapter answers: one protocol, its values and its errors."""

from hutong.adapters.interface.adapter import ChainAdapter
from hutong.adapters.interface.administered import Administered
from hutong.adapters.interface.beginning import begin_height
from hutong.adapters.interface.chain import Chain
from hutong.adapters.interface.clients import AttestedBy, ClientInfo, ClientParameters, InitialStates, Proof
from hutong.adapters.interface.destination import Destination
from hutong.adapters.interface.endpoints import LATENCY_BOUNDS_S, EndpointError, EndpointStatistics
from hutong.adapters.interface.errors import (
    AdapterError,
    AlreadyKnown,
    AlreadyRelayed,
    BadAnswer,
    BatchTooLarge,
    BroadcastRefused,
    EndpointMismatch,
    EndpointUnavailable,
    HeightUnavailable,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    NotSupported,
    RefusedByChain,
    RpcRefused,
    Underpriced,
    UnknownClient,
)
from hutong.adapters.interface.events import Head, PacketEvent, PacketEventKind, PooledPacket, Relayed
from hutong.adapters.interface.messages import (
    AcknowledgePacket,
    Batch,
    BatchLimits,
    Message,
    RecvPacket,
    SubmitMisbehaviour,
    TimeoutPacket,
    UpdateClient,
)
from hutong.adapters.interface.packet_records import MAX_EVENT_RANGE, MAX_SEQUENCE_SCAN, NEWEST, At, PacketRecords
from hutong.adapters.interface.source import Source
from hutong.adapters.interface.stored_packets import StoredPackets
from hutong.adapters.interface.transactions import (
    AccountState,
    MessageFailure,
    PreparedTransaction,
    SignedTransaction,
    Signer,
    TransactionOutcome,
)

__all__ = [
    "LATENCY_BOUNDS_S",
    "MAX_EVENT_RANGE",
    "MAX_SEQUENCE_SCAN",
    "NEWEST",
    "AccountState",
    "AcknowledgePacket",
    "AdapterError",
    "Administered",
    "AlreadyKnown",
    "AlreadyRelayed",
    "At",
    "AttestedBy",
    "BadAnswer",
    "Batch",
    "BatchLimits",
    "BatchTooLarge",
    "BroadcastRefused",
    "Chain",
    "ChainAdapter",
    "ClientInfo",
    "ClientParameters",
    "Destination",
    "EndpointError",
    "EndpointMismatch",
    "EndpointStatistics",
    "EndpointUnavailable",
    "Head",
    "HeightUnavailable",
    "InitialStates",
    "InsufficientFunds",
    "Message",
    "MessageFailure",
    "NonceTooHigh",
    "NonceTooLow",
    "NotSupported",
    "PacketEvent",
    "PacketEventKind",
    "PacketRecords",
    "PooledPacket",
    "PreparedTransaction",
    "Proof",
    "RecvPacket",
    "RefusedByChain",
    "Relayed",
    "RpcRefused",
    "SignedTransaction",
    "Signer",
    "Source",
    "StoredPackets",
    "SubmitMisbehaviour",
    "TimeoutPacket",
    "TransactionOutcome",
    "Underpriced",
    "UnknownClient",
    "UpdateClient",
    "begin_height",
]
