"""What an operator or a relay makes of what a log serves: the first states of a client, updates, proofs of entries.

Nothing of a proof is believed here: the client that is given these bytes judges it.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import VERIFY, Height, Judge
from hutong.light_clients.tlog import codec
from hutong.light_clients.tlog.checkpoints import Checkpoint
from hutong.light_clients.tlog.notes import Key
from hutong.light_clients.tlog.types import (
    ClientState,
    ConsensusState,
    Growth,
    Header,
    MembershipProof,
)
from hutong.light_clients.tlog.verification import judge_checkpoint


@dataclass(frozen=True, slots=True)
class LogTrust:
    """Whom a reader of a log believes: what a client state says before it has a tree."""

    origin: str
    log_key: Key
    witnesses: tuple[Key, ...]
    quorum: int
    publisher_key: bytes = b""

    def client_state(self, size: int, trusting_period_s: int, max_clock_drift_s: int) -> ClientState:
        """A client of the log at a tree of `size`; the witnesses are put in order.

        Raises:
            MalformedInput: a key, the quorum or a number is out of its bounds.
        """
        return ClientState(
            self.origin,
            self.log_key,
            tuple(sorted(self.witnesses, key=lambda key: key.name)),
            self.quorum,
            self.publisher_key,
            trusting_period_s,
            max_clock_drift_s,
            Height(0, size),
        )


def first_states(
    trust: LogTrust, checkpoint: Checkpoint, trusting_period_s: int, max_clock_drift_s: int, judge: Judge = VERIFY
) -> tuple[bytes, bytes]:
    """Client and consensus state of a client that begins at a checkpoint, which log and quorum must have signed.

    Raises:
        MalformedInput, PredicateFailed: a parameter is out of bounds, or the first rule that does not hold.
    """
    client = trust.client_state(checkpoint.size, trusting_period_s, max_clock_drift_s)
    timestamp_s = judge_checkpoint(judge, client, checkpoint)
    state = ConsensusState(checkpoint.size, checkpoint.root, timestamp_s)
    return codec.encode_client_state(client), codec.encode_consensus_state(state)


def update_message(trusted: ConsensusState, checkpoint: Checkpoint, nodes: tuple[bytes, ...]) -> bytes:
    """For the tree of `checkpoint`; `nodes` lead from the trusted tree to it, and are none where it is not larger."""
    growth = Growth(trusted.root, nodes) if checkpoint.size >= trusted.size else Growth(b"", ())
    return codec.encode_header_message(Header(trusted.height, checkpoint, growth))


def entry_proof(index: int, siblings: tuple[bytes, ...], signature: bytes = b"") -> bytes:
    """That an entry stands at `index`; with the publisher's signature, that a message does."""
    return codec.encode_membership_proof(MembershipProof(index, siblings, signature))
