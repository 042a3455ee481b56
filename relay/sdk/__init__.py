"""A typed client of the HTTP API (docs/spec/api.md): `Hutong` for programs without an event loop, `TrioHutong` under
trio.

`pip install '.[sdk]'` in a checkout. Guide: docs/sdk.md.
"""

from hutong.relay.sdk.errors import (
    AnswerTooLarge,
    ApiProblem,
    BadAnswer,
    HutongError,
    InvalidArgument,
    NotSigned,
    TooSlow,
    TransactionFailed,
    Unreachable,
)
from hutong.relay.sdk.figures import Bucket, Series, Totals
from hutong.relay.sdk.following import ChainsChanged, Event, MessageChanged, Reset
from hutong.relay.sdk.messages import (
    App,
    DeadLetter,
    Found,
    Message,
    MessageStage,
    MessageState,
    MessageSummary,
    Proof,
    TransactionState,
    TransactionStatus,
    Why,
)
from hutong.relay.sdk.network import Chain, ClientStatus, End, LightClient, Path, Route, Status, Token, Tokens
from hutong.relay.sdk.sending import Prepared, Sent, Submitted, UnsignedCosmos, UnsignedEvm
from hutong.relay.sdk.sync_client import Hutong
from hutong.relay.sdk.trio_client import TrioHutong

__all__ = [
    "AnswerTooLarge",
    "ApiProblem",
    "App",
    "BadAnswer",
    "Bucket",
    "Chain",
    "ChainsChanged",
    "ClientStatus",
    "DeadLetter",
    "End",
    "Event",
    "Found",
    "Hutong",
    "HutongError",
    "InvalidArgument",
    "LightClient",
    "Message",
    "MessageChanged",
    "MessageStage",
    "MessageState",
    "MessageSummary",
    "NotSigned",
    "Path",
    "Prepared",
    "Proof",
    "Reset",
    "Route",
    "Sent",
    "Series",
    "Status",
    "Submitted",
    "Token",
    "Tokens",
    "TooSlow",
    "Totals",
    "TransactionFailed",
    "TransactionState",
    "TransactionStatus",
    "TrioHutong",
    "Unreachable",
    "UnsignedCosmos",
    "UnsignedEvm",
    "Why",
]
