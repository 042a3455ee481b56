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
from hutong.light_clients.crypto import bls, ed25519, keccak256, recover_eth_address, ripemd160, secp256k1, sha256
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.interface import VERIFY, Height, MemoryConsensusStates, NotEnoughTrust, VerificationError
from hutong.light_clients.proofs.ics23 import SMT_SPEC, verify_chained
from hutong.relay.evm.vm.precompiles import Precompile
from hutong.relay.hub.application.machine.evm_rules import precompiles
from hutong.relay.hub.application.revision import rules_versions

CORPORA: Final[Mapping[int, str]] = {
    rules_versions.FIRST: "self_test.json",
    rules_versions.SETTLES_WHILE_PAUSED: "self_test.json",
    rules_versions.BOUNDED_EXECUTION: "self_test_3.json",
}
"""The file of each rules version. One that a released version names is never changed."""
ALSO_RUN: Final[Mapping[int, str]] = {
    rules_versions.FIRST: "self_test_precompiles.json",
    rules_versions.SETTLES_WHILE_PAUSED: "self_test_precompiles.json",
}
"""Beside the corpus of a version whose hash was fixed before its precompiles were tested."""


class SelfTestFailed(Exception):
    """A vector of the corpus came out otherwise."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        self.name = name
        super().__init__(f"self-test {name} gives {got}, expected {expected}: this machine would fork off the chain")


@cache
def _file(name: str) -> bytes:
    return files("hutong.relay.hub.application").joinpath(name).read_bytes()


def corpus(rules_version: int) -> bytes:
    """The bytes of the file of one of `rules_versions.ALL`.

    Raises:
        KeyError: it is another version.
    """
    return _file(CORPORA[rules_version])


@cache
def corpus_hash(rules_version: int) -> bytes:
    """SHA-256 (32 bytes) of the corpus file's canonical JSON, of one of `rules_versions.ALL`.

    Raises:
        KeyError: it is another version.
    """
    document = json.loads(corpus(rules_version))
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


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
    return _verdict_of(precompiles(vector["rules_version"]).get(address), _raw(vector, "data"))


_verdict_of = cache(precompile_verdict)
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


_RUNNERS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "ed25519": lambda v: str(ed25519.verify(_raw(v, "public_key"), _raw(v, "message"), _raw(v, "signature"))),
    "secp256k1": lambda v: str(secp256k1.verify_low_s(_raw(v, "public_key"), _raw(v, "digest"), _raw(v, "signature"))),
    "secp256k1_recover": _recover,
    "bls12_381": _bls,
    "keccak256": lambda v: keccak256(_raw(v, "data")).hex(),
    "sha256": lambda v: sha256(_raw(v, "data")).hex(),
    "ripemd160": lambda v: ripemd160(_raw(v, "data")).hex(),
    "ics23_smt": _ics23,
    "qbft": _qbft,
    "attestation_update": _attestation_update,
    "attestation_proof": _attestation_proof,
    "sync_committee": _sync_committee,
    "precompile": _precompile,
}


def run_self_test(first_version: int = rules_versions.FIRST) -> int:
    """Run the vectors of every rules version that this code executes from `first_version` on; how many there are.

    A chain executes none before that of its genesis. Blocking, for seconds.

    Raises:
        SelfTestFailed: at the first difference.
        SetupUnusable: the point evaluation of versions 1 and 2 lacks its setup.
    """
    versions = [version for version in rules_versions.ALL if version >= first_version]
    names = {table[version]: None for table in (CORPORA, ALSO_RUN) for version in versions if version in table}
    vectors = [vector for name in names for vector in json.loads(_file(name))["vectors"]]
    for vector in vectors:
        got = _RUNNERS[vector["algorithm"]](vector)
        if got != vector["expected"]:
            raise SelfTestFailed(vector["name"], vector["expected"], got)
    return len(vectors)
