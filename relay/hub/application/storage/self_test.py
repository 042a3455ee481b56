"""Vectors of the self-test for what this module judges; the corpus is run with all others (relay/hub/application/self_test.py)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.relay.services.storage.rules.audits.answers import decode_answers
from hutong.relay.services.storage.rules.audits.judging import Removed, judge_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed
from hutong.relay.services.storage.rules.commitments.entries import BatchPart, OperatorSet
from hutong.relay.services.storage.rules.lifecycle.signed import OperatorPart, struct_is_signed_by
from hutong.relay.services.storage.rules.placement import placement_is_possible
from hutong.relay.services.storage.rules.records.members import Candidate, MapRecord, encode_label


def _raw(vector: Mapping[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


def _placement(vector: Mapping[str, Any]) -> str:
    """Numbers of the candidates of a group, of 10 + 4."""
    candidates = [
        Candidate(_raw(one, "operator"), encode_label(one["organisation"]), encode_label(one["site"]), one["weight"])
        for one in vector["candidates"]
    ]
    placing = MapRecord(1, 1, 10, 4, tuple(sorted(candidates, key=lambda one: one.operator)))
    try:
        found = placement_is_possible(placing, vector["group"])
    except VerificationError:
        return "refused"
    return " ".join(str(candidates.index(one)) for one in found)


def _seed(vector: Mapping[str, Any]) -> str:
    """The seed, and how many of the auditors revealed."""
    pairs = zip(vector["auditors"], vector["commitments"], strict=True)
    auditors = [Auditor(bytes.fromhex(auditor), bytes.fromhex(commitment)) for auditor, commitment in pairs]
    secrets = [None if secret is None else bytes.fromhex(secret) for secret in vector["secrets"]]
    try:
        seed = epoch_seed(_raw(vector, "hub"), vector["epoch"], _raw(vector, "header"), auditors, secrets)
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return f"{seed.value.hex()} {seed.reveals} of {seed.auditors}"


def _part(vector: Mapping[str, Any]) -> str:
    given = BatchPart(vector["leaves"], vector["entries"], _raw(vector, "root"))
    names = (_raw(vector, "hub"), _raw(vector, "writer"), vector["sequence"], _raw(vector, "operator"))
    try:
        struct_is_signed_by(OperatorPart(*names, given), _raw(vector, "signature"), _raw(vector, "account"))
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return "accepted"


def _answers(vector: Mapping[str, Any]) -> str:
    """How many leaves are held and removed, by answers from the first probe on."""
    operator_set = OperatorSet(_raw(vector, "root"), vector["size"], vector["leaves"])
    challenge = Challenge(_raw(vector, "seed"), _raw(vector, "operator"), operator_set, vector["probes"])
    removals = {
        (batch, bytes.fromhex(pack)): Removed(shards, time_s) for batch, pack, shards, time_s in vector["removals"]
    }
    try:
        answers = decode_answers(_raw(vector, "answers"), operator_set.size, vector["count"])
        found = judge_answers(VERIFY, challenge, 0, answers, removals)
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return f"{found.held} held, {found.removed} removed"


RUNNERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "storage_placement": _placement,
    "storage_seed": _seed,
    "storage_part": _part,
    "storage_answers": _answers,
}
