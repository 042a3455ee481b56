"""Trees of a signed log in a bundle: each believed because the log, and enough of the witnesses that the checkpoint names, signed
it. A bundle is made without knowing from which tree its reader begins, so that no consistency proof stands in it; that the log
only grew is what every witness saw before it signed, and two quorums have a witness in common."""

from dataclasses import replace

from hutong.light_clients import tlog
from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, cited, rule
from hutong.light_clients.tlog import predicates
from hutong.light_clients.tlog.verification import judge_checkpoint
from hutong.relay.archive.bundle import ChainHeaders, HeaderEntry
from hutong.relay.archive.checkpoint import FollowedTrust
from hutong.relay.archive.log_chain import bare_note
from hutong.relay.audit.blocks import SPEC, ProvenState

tree_is_well_formed = cited(tlog.decode_checkpoint, SPEC, "tree_is_well_formed")


def mode(trust: FollowedTrust) -> str:
    """By what trees are believed, for people."""
    client = tlog.decode_client_state(trust.client_state)
    return f"signed by the log, and by {client.quorum} of {len(client.witnesses)} witnesses that the checkpoint names"


def judge_entry(judge: Judge, chain: ChainHeaders, entry: HeaderEntry, trust: FollowedTrust, now_ns: int) -> None:
    """The light client's own rules for who signed a tree and when, and what it is to the checkpoint's tree.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(tree_stands_alone, chain, entry)
    client = tlog.decode_client_state(trust.client_state)
    trusted = tlog.decode_consensus_state(trust.consensus_state)
    judge(predicates.within_trusting_period, trusted.timestamp_ns, client.trusting_period_ns, now_ns)
    tree = judge(tree_is_well_formed, entry.header)
    judge(every_line_is_known, entry, tree, client)
    timestamp_s = judge_checkpoint(judge, client, tree)
    judge(predicates.header_not_from_future, timestamp_s, client.max_clock_drift_ns, now_ns)
    judge(tree_is_not_smaller, tree, trusted)
    judge(predicates.time_does_not_go_back, timestamp_s, trusted)


def proven_state(entry: HeaderEntry, trust: FollowedTrust) -> tuple[int, ProvenState]:
    """Size and state of a tree that `judge_entry` let pass.

    Raises:
        MalformedInput, PredicateFailed: it did not.
    """
    client = tlog.decode_client_state(trust.client_state)
    tree = tlog.decode_checkpoint(entry.header)
    state = tlog.ConsensusState(tree.size, tree.root, predicates.quorum_cosigned(tree, client))
    client_state = tlog.encode_client_state(replace(client, latest_height=state.height))
    return tree.size, ProvenState(client_state, tlog.encode_consensus_state(state), state.timestamp_ns)


@rule(SPEC)
def tree_stands_alone(chain: ChainHeaders, entry: HeaderEntry) -> None:
    """Nothing stands with a tree that nobody reads.

    Raises:
        MalformedInput: a commit, an account proof or a validator set does.
    """
    if chain.validator_sets or entry.commit is not None or entry.account_proof:
        raise MalformedInput("headers", "a tree has neither commit, nor account proof, nor validator sets beside it")


@rule(SPEC)
def every_line_is_known(entry: HeaderEntry, tree: tlog.Checkpoint, client: tlog.ClientState) -> None:
    """Each signature line is of the log or of a witness that the checkpoint names, in their order: the lines of others go
    unread.

    Raises:
        PredicateFailed: one is of another key, or they stand in another order.
    """
    if entry.header != bare_note(tree, client):
        raise PredicateFailed(
            "every_line_is_known",
            "a line is of a key that the checkpoint does not name, or out of its order: export the bundle again",
            got=[line.name for line in tree.note.signatures],
        )


@rule(SPEC)
def tree_is_not_smaller(tree: tlog.Checkpoint, trusted: tlog.ConsensusState) -> None:
    """The tree is that of the checkpoint, or larger.

    Raises:
        PredicateFailed: it is smaller, or another one of the same size.
    """
    name = "tree_is_not_smaller"
    if tree.size < trusted.size:
        raise PredicateFailed(
            name, "is below the checkpoint: export the bundle again, or take an older one", tree.size, trusted.size
        )
    if tree.size == trusted.size and tree.root != trusted.root:
        raise PredicateFailed(name, "is another tree of the checkpoint's size", tree.root, trusted.root)
