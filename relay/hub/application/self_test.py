"""The self-test at start: does this process verify as every other node of the chain does (design rule 11)?

The corpus holds the edges where libraries disagree. Each rules version has one, and a genesis fixes the hash of its own, so
that two nodes which pass it have passed the same one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from eth.exceptions import VMError

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.crypto import bls, ed25519, gm, keccak256, recover_eth_address, ripemd160, secp256k1, sha256
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.fisco_bcos import FiscoBcosClient
from hutong.light_clients.interface import VERIFY, Height, MemoryConsensusStates, NotEnoughTrust, VerificationError
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.light_clients.proofs.merkle.consistency import ConsistencyProof, verify_consistency
from hutong.light_clients.records import FieldPlace, SlotPlace, decode_place, judge_evm_places
from hutong.light_clients.tlog import TlogClient, entry_path
from hutong.relay.evm.vm.precompiles import Precompile
from hutong.relay.hub.application.directory.self_test import RUNNERS as DIRECTORY_RUNNERS
from hutong.relay.hub.application.identity.registering import key_algorithms
from hutong.relay.hub.application.machine.evm_rules import precompiles
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.storage.self_test import RUNNERS as STORAGE_RUNNERS
from hutong.relay.services.identity.rules.organisations.approvals import (
    Operation,
    operation_digest,
    signatures_are_whole,
    signers_ascend,
)
from hutong.relay.services.identity.rules.organisations.key_form import account_of, key_is_on_its_curve, thumbprint
from hutong.relay.services.identity.rules.records.key_record import public_key_of
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import decode_update, judge_update

CORPORA: Final[Mapping[int, str]] = {
    rules_versions.FIRST: "self_test.json",
    rules_versions.SETTLES_WHILE_PAUSED: "self_test.json",
    rules_versions.BOUNDED_EXECUTION: "self_test_3.json",
    rules_versions.RECORDS: "self_test_4.json",
    rules_versions.IDENTITY: "self_test_5.json",
    rules_versions.SM2_KEYS: "self_test_6.json",
    rules_versions.STORAGE: "self_test_7.json",
    rules_versions.DIRECTORY: "self_test_8.json",
}
"""The file of each rules version. One that a released version names is never changed."""
ALSO_RUN: Final[Mapping[int, str]] = {
    rules_versions.FIRST: "self_test_precompiles.json",
    rules_versions.SETTLES_WHILE_PAUSED: "self_test_precompiles.json",
}
"""Beside the corpus of a version whose hash was fixed before its precompiles were tested."""
GM_CORPUS: Final = "self_test_gm.json"
"""Run beside the others where genesis names the library of SM2 and SM3."""


class SelfTestFailed(Exception):
    """A vector of the corpus came out otherwise."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        self.name = name
        super().__init__(f"self-test {name} gives {got}, expected {expected}: this machine would fork off the chain")


@cache
def corpus_file(name: str) -> bytes:
    """The bytes of a file that CORPORA or ALSO_RUN names.

    Raises:
        FileNotFoundError: there is none of that name.
    """
    return files("hutong.relay.hub.application").joinpath(name).read_bytes()


def corpus(rules_version: int) -> bytes:
    """The bytes of the file of one of `rules_versions.ALL`.

    Raises:
        KeyError: it is another version.
    """
    return corpus_file(CORPORA[rules_version])


@cache
def corpus_hash(rules_version: int, *, with_gm: bool = False) -> bytes:
    """SHA-256 (32 bytes) of the corpus file's canonical JSON, of one of `rules_versions.ALL`.

    Where the hub offers the GM suite, of that hash and the one of its own corpus, one after the other.

    Raises:
        KeyError: it is another version.
    """
    own = _hash_of(corpus(rules_version))
    return sha256(own + _hash_of(corpus_file(GM_CORPUS))) if with_gm else own


def _hash_of(data: bytes) -> bytes:
    return sha256(json.dumps(json.loads(data), sort_keys=True, separators=(",", ":")).encode())


@dataclass(slots=True)
class _Message:
    data: bytes

    @property
    def data_as_bytes(self) -> bytes:
        return self.data


@dataclass(slots=True)
class _Call:
    """What a precompile sees of its computation. Gas is no matter here: it is paid before the work, by the rules' own prices."""

    msg: _Message
    output: bytes = b""

    def consume_gas(self, amount: int, reason: str) -> None: ...


def precompile_verdict(precompile: Precompile | None, data: bytes) -> str:
    """The output in hex, "refused" where the input is, or "no precompile" for None. Gas is of no matter."""
    if precompile is None:
        return "no precompile"
    call = _Call(_Message(data))
    try:
        precompile(call)
    except VMError:
        return "refused"
    return call.output.hex()


def _precompile(vector: Mapping[str, Any]) -> str:
    address = int(vector["number"]).to_bytes(20, "big")
    return verdict_of(precompiles(vector["rules_version"]).get(address), _raw(vector, "data"))


verdict_of = cache(precompile_verdict)
"""Several versions share most precompiles, and pairings take long."""


def _verdict(verify: Callable[[], object]) -> str:
    try:
        result = verify()
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return "not enough trust" if isinstance(result, NotEnoughTrust) else "accepted"


def _raw(vector: Mapping[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


def _ics23(vector: Mapping[str, Any]) -> str:
    proof, root, key = _raw(vector, "proof"), _raw(vector, "root"), _raw(vector, "key")
    value = None if vector["value"] is None else _raw(vector, "value")
    return _verdict(lambda: verify_chained((SMT_SPEC,), proof, root, (key,), value))


def _qbft(vector: Mapping[str, Any]) -> str:
    states = MemoryConsensusStates({Height(0, vector["trusted_height"]): _raw(vector, "consensus_state")})
    return _verdict(
        lambda: BftEvmClient().verify_header(
            _raw(vector, "client_state"), states, _raw(vector, "header"), int(vector["now_ns"])
        )
    )


def _attestation_update(vector: Mapping[str, Any]) -> str:
    states = MemoryConsensusStates({Height(0, vector["latest_height"]): _raw(vector, "consensus_state")})
    return _verdict(
        lambda: AttestationClient().verify_header(
            _raw(vector, "client_state"), states, _raw(vector, "header"), int(vector["now_ns"])
        )
    )


def _attestation_proof(vector: Mapping[str, Any]) -> str:
    value = None if vector["value"] is None else _raw(vector, "value")
    return _verdict(
        lambda: AttestationClient().judge_membership(
            VERIFY,
            _raw(vector, "client_state"),
            _raw(vector, "consensus_state"),
            _raw(vector, "proof"),
            (_raw(vector, "path"),),
            value,
        )
    )


def _attested_root(vector: Mapping[str, Any]) -> str:
    height = Height(0, vector["height"])
    states = MemoryConsensusStates({height: _raw(vector, "consensus_state")})
    try:
        found = AttestationClient().judge_state_root(
            VERIFY, _raw(vector, "client_state"), states, height, _raw(vector, "shown"), int(vector["now_ns"])
        )
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return f"{found.state_root.hex()} by {found.threshold} of {found.attestors}"


def _evm_places(vector: Mapping[str, Any]) -> str:
    """The words at the places, `-` for nothing."""
    nodes = [bytes.fromhex(node) for node in vector["nodes"]]
    named = (decode_place(kind, bytes.fromhex(name)) for kind, name in vector["places"])
    places = [place for place in named if isinstance(place, SlotPlace | FieldPlace)]
    try:
        values = judge_evm_places(VERIFY, _raw(vector, "state_root"), nodes, places)
    except VerificationError as error:
        return f"refused: {type(error).__name__}"
    return " ".join("-" if value is None else value.hex() for value in values)


def _log_update(vector: Mapping[str, Any]) -> str:
    states = MemoryConsensusStates({Height(0, vector["trusted_size"]): _raw(vector, "consensus_state")})
    return _verdict(
        lambda: TlogClient().verify_header(
            _raw(vector, "client_state"), states, _raw(vector, "header"), int(vector["now_ns"])
        )
    )


def _log_proof(vector: Mapping[str, Any]) -> str:
    path = entry_path(vector["index"]) if "index" in vector else (_raw(vector, "path"),)
    return _verdict(
        lambda: TlogClient().verify_membership(
            _raw(vector, "client_state"),
            _raw(vector, "consensus_state"),
            _raw(vector, "proof"),
            path,
            _raw(vector, "value"),
        )
    )


def _identity_key(vector: Mapping[str, Any]) -> str:
    """Thumbprint and account of a key."""
    try:
        # the vectors of version 5 do not name it
        known = key_algorithms(vector.get("rules_version", rules_versions.IDENTITY))
        key = public_key_of(vector["key_algorithm"], _raw(vector, "x"), _raw(vector, "y"), known)
        key_is_on_its_curve(key)
        return f"{thumbprint(key).hex()} {account_of(key).hex()}"
    except VerificationError as error:
        return f"refused: {type(error).__name__}"


def _identity_list(vector: Mapping[str, Any]) -> str:
    """The root that an update leads to."""
    try:
        update = decode_update(_raw(vector, "update"))
        return judge_update(VERIFY, TreeShape(vector["bits"], vector["size"]), _raw(vector, "root"), update).hex()
    except VerificationError as error:
        return f"refused: {type(error).__name__}"


def _identity_approval(vector: Mapping[str, Any]) -> str:
    """The accounts that approve an operation."""
    operation = Operation(_raw(vector, "did"), vector["registered_height"], vector["sequence"], _raw(vector, "call"))
    digest = operation_digest(vector["hub"], operation)
    try:
        signatures = tuple(bytes.fromhex(signature) for signature in vector["signatures"])
        signatures_are_whole(signatures)
        return " ".join(account.hex() for account in signers_ascend(digest, signatures))
    except VerificationError as error:
        return f"refused: {type(error).__name__}"


def _log_append(vector: Mapping[str, Any]) -> str:
    proof = ConsistencyProof(vector["first"], vector["second"], tuple(map(bytes.fromhex, vector["nodes"])))
    return _verdict(lambda: verify_consistency(proof, _raw(vector, "first_root"), _raw(vector, "second_root")))


def _fisco_update(vector: Mapping[str, Any]) -> str:
    states = MemoryConsensusStates({Height(0, vector["trusted_height"]): _raw(vector, "consensus_state")})
    return _verdict(
        lambda: FiscoBcosClient().verify_header(
            _raw(vector, "client_state"), states, _raw(vector, "header"), int(vector["now_ns"])
        )
    )


def _bls(vector: Mapping[str, Any]) -> str:
    keys = [bytes.fromhex(key) for key in vector["public_keys"]]
    return str(bls.fast_aggregate_verify(keys, _raw(vector, "message"), _raw(vector, "signature")))


def _sync_committee(vector: Mapping[str, Any]) -> str:
    states = MemoryConsensusStates({Height(0, vector["trusted_slot"]): _raw(vector, "consensus_state")})
    return _verdict(
        lambda: EthereumClient().verify_header(
            _raw(vector, "client_state"), states, _raw(vector, "header"), int(vector["now_ns"])
        )
    )


def _recover(vector: Mapping[str, Any]) -> str:
    allow_high_s = bool(vector.get("allow_high_s"))
    address = recover_eth_address(_raw(vector, "digest"), _raw(vector, "signature"), allow_high_s=allow_high_s)
    return "none" if address is None else address.hex()


RUNNERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "ed25519": lambda v: str(ed25519.verify(_raw(v, "public_key"), _raw(v, "message"), _raw(v, "signature"))),
    "ed25519_strict": lambda v: str(
        ed25519.verify_strict(_raw(v, "public_key"), _raw(v, "message"), _raw(v, "signature"))
    ),
    "log_update": _log_update,
    "log_proof": _log_proof,
    "secp256k1": lambda v: str(secp256k1.verify_low_s(_raw(v, "public_key"), _raw(v, "digest"), _raw(v, "signature"))),
    "secp256k1_recover": _recover,
    "bls12_381": _bls,
    "sm2": lambda v: str(gm.verify(_raw(v, "public_key"), _raw(v, "message"), _raw(v, "signature"))),
    "sm3": lambda v: gm.sm3(_raw(v, "data")).hex(),
    "fisco_update": _fisco_update,
    "keccak256": lambda v: keccak256(_raw(v, "data")).hex(),
    "sha256": lambda v: sha256(_raw(v, "data")).hex(),
    "ripemd160": lambda v: ripemd160(_raw(v, "data")).hex(),
    "ics23_smt": _ics23,
    "qbft": _qbft,
    "attestation_update": _attestation_update,
    "attestation_proof": _attestation_proof,
    "attested_root": _attested_root,
    "evm_places": _evm_places,
    "sync_committee": _sync_committee,
    "precompile": _precompile,
    "identity_key": _identity_key,
    "identity_list": _identity_list,
    "identity_approval": _identity_approval,
    "log_append": _log_append,
    **STORAGE_RUNNERS,
    **DIRECTORY_RUNNERS,
}


def run_self_test(first_version: int = rules_versions.FIRST, *, with_gm: bool = False) -> int:
    """Run the vectors of every rules version that this code executes from `first_version` on; how many there are.

    A vector that several versions share is run once.

    A chain executes none before that of its genesis. Blocking, for seconds.

    Args:
        with_gm: also those of the GM suite, whose library must be installed then.

    Raises:
        SelfTestFailed: at the first difference.
        SetupUnusable: the point evaluation of versions 1 and 2 lacks its setup.
    """
    versions = [version for version in rules_versions.ALL if version >= first_version]
    names = {table[version]: None for table in (CORPORA, ALSO_RUN) for version in versions if version in table}
    if with_gm:
        names[GM_CORPUS] = None
    read = (vector for name in names for vector in json.loads(corpus_file(name))["vectors"])
    vectors = {json.dumps(vector, sort_keys=True): vector for vector in read}.values()
    for vector in vectors:
        got = RUNNERS[vector["algorithm"]](vector)
        if got != vector["expected"]:
            raise SelfTestFailed(vector["name"], vector["expected"], got)
    return len(vectors)
