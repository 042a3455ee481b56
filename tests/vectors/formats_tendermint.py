"""Areas tendermint and the 07-tendermint part of ibc_v2: CometBFT RPC files, model-based runs, updates, proofs."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from hutong.light_clients.ibc import commitment
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    InsufficientTrust,
    MalformedInput,
    MemoryConsensusStates,
    PredicateFailed,
    UnknownHeight,
    Updated,
    VerificationError,
)
from hutong.light_clients.proofs import ics23, merkle
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import (
    decode_client_state,
    decode_consensus_state,
    encode_client_state,
    encode_consensus_state,
)
from hutong.light_clients.tendermint.hashing import header_hash, validator_set_hash, vote_sign_bytes
from hutong.light_clients.tendermint.predicates import CommitSignatures
from hutong.light_clients.tendermint.types import (
    GO_ZERO_TIME_NS,
    BlockId,
    ClientState,
    ConsensusState,
    Header,
    KeyType,
    LightBlock,
    PublicKey,
    SignedHeader,
    TrustLevel,
    Validator,
    ValidatorSet,
    revision_of,
)
from hutong.light_clients.tendermint.verification import Options, TrustedState, judge_commit, judge_update
from tests.vectors.vector_registry import Entry, Group, Verification, runs

CLIENT = TendermintClient()


def demand(holds: bool, rule: str, got: object = None, expected: object = None) -> None:
    if not holds:
        raise PredicateFailed(rule, "does not hold", got, expected)


def result(entry: Entry) -> dict[str, Any]:
    return dict(rpc_json.rpc_result(rpc_json.parse_json(entry.bytes())))


def commit_check(signed_header: SignedHeader, validators: ValidatorSet) -> None:
    signatures = CommitSignatures(signed_header.header.chain_id, signed_header.commit)
    judge_commit(VERIFY, signed_header, validators, signatures)


def group_header(group: Group) -> Header | None:
    for role, read in (
        ("commit", lambda document: document["signed_header"]["header"]),
        ("signed_block", lambda document: document["header"]),
        ("header", lambda document: document["header"]),
    ):
        entry = group.with_role(role)
        if entry is not None:
            return rpc_json.header_from_rpc(read(result(entry)))
    return None


@runs("cometbft-rpc-signed-block")
def signed_block(entry: Entry, group: Group) -> Iterator[Verification]:
    block = result(entry)
    signed_header = SignedHeader(rpc_json.header_from_rpc(block["header"]), rpc_json.commit_from_rpc(block["commit"]))
    validators = rpc_json.validator_set_from_rpc(block["validator_set"])
    yield Verification("commit", partial(commit_check, signed_header, validators))


def commit_validators(entry: Entry, group: Group) -> ValidatorSet | None:
    if "validators" in entry.params:
        return ValidatorSet.of(
            tuple(
                Validator.of(
                    PublicKey(KeyType.ED25519, base64.b64decode(validator["pub_key_ed25519_base64"])),
                    int(validator["power"]),
                )
                for validator in entry.params["validators"]
            )
        )
    for role in ("validators", "signed_block"):
        file = group.with_role(role)
        if file is not None:
            served = result(file)
            return rpc_json.validator_set_from_rpc(served if role == "validators" else served["validator_set"])
    return None


@runs("cometbft-rpc-commit")
def commit_file(entry: Entry, group: Group) -> Iterator[Verification]:
    signed_header = rpc_json.signed_header_from_rpc(result(entry)["signed_header"])
    validators = commit_validators(entry, group)
    if validators is None:
        yield Verification("commit", lambda: None, unchecked="signatures: neither params nor group has the validators")
        return
    yield Verification("commit", partial(commit_check, signed_header, validators))


@runs("cometbft-rpc-validators")
def validators_file(entry: Entry, group: Group) -> Iterator[Verification]:
    validators = rpc_json.validator_set_from_rpc(result(entry))
    actual, header = validator_set_hash(validators), group_header(group)
    if header is None:
        yield Verification("validators_hash", lambda: None, unchecked="the group has no header")
        return
    expected = header.validators_hash
    yield Verification("validators_hash", lambda: demand(actual == expected, "validators_hash", actual, expected))


@runs("cometbft-rpc-header")
def header_file(entry: Entry, group: Group) -> Iterator[Verification]:
    header = rpc_json.header_from_rpc(result(entry)["header"])
    commit, block = group.with_role("commit"), group.with_role("signed_block")
    if commit is not None:
        block_id = rpc_json.commit_from_rpc(result(commit)["signed_header"]["commit"]).block_id
    elif block is not None:
        block_id = rpc_json.commit_from_rpc(result(block)["commit"]).block_id
    else:
        yield Verification("header_hash", lambda: None, unchecked="the group has neither commit nor signed block")
        return
    yield Verification("header_hash", lambda: demand(header_hash(header) == block_id.hash, "header_hash"))


@runs("cometbft-rpc-block")
def block_file(entry: Entry, group: Group) -> Iterator[Verification]:
    served = result(entry)
    header = rpc_json.header_from_rpc(served["block"]["header"])
    block_id = rpc_json.block_id_from_rpc(served["block_id"])
    yield Verification("header_hash", lambda: demand(header_hash(header) == block_id.hash, "header_hash"))


@runs("cometbft-rpc-blockchain")
def blockchain_file(entry: Entry, group: Group) -> Iterator[Verification]:
    metas = [
        (rpc_json.block_id_from_rpc(meta["block_id"]), rpc_json.header_from_rpc(meta["header"]))
        for meta in result(entry)["block_metas"]
    ]
    for index, (block_id, header) in enumerate(metas):
        parent = metas[index + 1][0] if index + 1 < len(metas) else None

        def check(block_id: BlockId = block_id, header: Header = header, parent: BlockId | None = parent) -> None:
            demand(header_hash(header) == block_id.hash, "header_hash")
            demand(parent is None or header.last_block_id == parent, "last_block_id", header.last_block_id, parent)

        yield Verification(f"header {header.height}", check)


@runs("cometbft-rpc-tx-search")
def tx_search(entry: Entry, group: Group) -> Iterator[Verification]:
    for found in result(entry)["txs"]:
        transaction = base64.b64decode(found["tx"])
        proof = found["proof"]["proof"]

        def check(found: dict = found, transaction: bytes = transaction, proof: dict = proof) -> None:
            leaf = sha256(transaction).digest()
            demand(leaf == rpc_json.hex_bytes(found["hash"], "hash"), "transaction_hash")
            merkle.verify(
                merkle.MerkleProof(
                    int(proof["total"]),
                    int(proof["index"]),
                    rpc_json.base64_bytes(proof["leaf_hash"], "leaf_hash"),
                    tuple(base64.b64decode(aunt) for aunt in proof["aunts"]),
                ),
                rpc_json.hex_bytes(found["proof"]["root_hash"], "root_hash"),
                leaf,
            )

        yield Verification(f"transaction {found['hash']}", check)


@runs("cometbft-rpc-abci-query", "cometbft-rpc-genesis")
def facts(entry: Entry, group: Group) -> Iterator[Verification]:
    result(entry)
    yield from ()


def trust_level(text: str) -> TrustLevel:
    numerator, denominator = text.split("/")
    return TrustLevel(int(numerator), int(denominator))


def sorted_set(served: Any, field: str) -> ValidatorSet:
    return ValidatorSet.of(rpc_json.validator_set_from_rpc(served, field).validators)


@runs("tendermint-rs-mbt")
def model_based(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    options = Options(
        trust_level(entry.params["trust_level"]),
        int(case["initial"]["trusting_period"]),
        int(entry.params["clock_drift_s"]) * NANOSECONDS_PER_SECOND,
    )
    initial = rpc_json.signed_header_from_rpc(case["initial"]["signed_header"])
    trusted = [(initial.header, sorted_set(case["initial"]["next_validator_set"], "next_validator_set"))]

    def judge(step: dict) -> str:
        header, validators = trusted[-1]
        try:
            untrusted = rpc_json.signed_header_from_rpc(step["block"]["signed_header"])
            judge_update(
                VERIFY,
                header.chain_id,
                LightBlock(untrusted, sorted_set(step["block"]["validator_set"], "validator_set")),
                TrustedState(header.height, header.time_ns, header.next_validators_hash),
                validators,
                options,
                rpc_json.parse_time_ns(step["now"], "now"),
            )
            trusted.append((untrusted.header, sorted_set(step["block"]["next_validator_set"], "next")))
        except InsufficientTrust:
            return "NOT_ENOUGH_TRUST"
        except VerificationError:
            return "INVALID"
        return "SUCCESS"

    for index, step in enumerate(case["input"]):

        def check(step: dict = step) -> None:
            verdict = judge(step)
            assert verdict == step["verdict"], f"{verdict}, expected {step['verdict']}"

        yield Verification(f"input {index}: {step['verdict']}", check)


def rpc_from_union(served: dict) -> dict:
    """The RPC form of the same header message (0x-hex bytes, tagged variants, numbers)."""

    def unprefixed(text: str) -> str:
        return text.removeprefix("0x")

    def as_base64(text: str) -> str:
        return base64.b64encode(bytes.fromhex(unprefixed(text))).decode()

    def validator(raw: dict) -> dict:
        assert raw["pub_key"]["@type"] == "ed25519"
        return {
            "address": unprefixed(raw["address"]),
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": as_base64(raw["pub_key"]["@value"])},
            "voting_power": raw["voting_power"],
            "proposer_priority": raw["proposer_priority"],
        }

    def validator_set(raw: dict) -> dict:
        return {"validators": [validator(v) for v in raw["validators"]], "proposer": validator(raw["proposer"])}

    def block_id(raw: dict) -> dict:
        parts = raw["part_set_header"]
        return {
            "hash": unprefixed(raw["hash"]),
            "parts": {"total": parts["total"], "hash": unprefixed(parts["hash"])},
        }

    def signature(raw: dict) -> dict:
        flag = {"absent": 1, "commit": 2, "nil": 3}[raw["@type"]]
        if flag == 1:
            return {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
        value = raw["@value"]
        return {
            "block_id_flag": flag,
            "validator_address": unprefixed(value["validator_address"]),
            "timestamp": value["timestamp"],
            "signature": as_base64(value["signature"]),
        }

    header = served["signed_header"]["header"]
    commit = served["signed_header"]["commit"]
    hexes = {name: unprefixed(value) for name, value in header.items() if isinstance(value, str) and "0x" in value}
    return {
        "signed_header": {
            "header": {**header, **hexes, "last_block_id": block_id(header["last_block_id"])},
            "commit": {
                **commit,
                "block_id": block_id(commit["block_id"]),
                "signatures": [signature(raw) for raw in commit["signatures"]],
            },
        },
        "validator_set": validator_set(served["validator_set"]),
        "trusted_height": served["trusted_height"],
        "trusted_validators": validator_set(served["trusted_validators"]),
    }


@runs("ibc-header-rpc-json", "ibc-header-union-json")
def ibc_header(entry: Entry, group: Group) -> Iterator[Verification]:
    served = rpc_json.parse_json(entry.bytes())
    if entry.format == "ibc-header-union-json":
        served = rpc_from_union(served)
    params = entry.params
    signed_header = rpc_json.signed_header_from_rpc(served["signed_header"])
    trusted_height = Height.parse(served["trusted_height"])
    time = params["trusted"].get("time")
    trusted = TrustedState(
        trusted_height.revision_height,
        None if time is None else rpc_json.parse_time_ns(time, "time"),
        bytes.fromhex(params["trusted"]["next_validators_hash"]),
    )
    now_ns = signed_header.header.time_ns + 5 * NANOSECONDS_PER_SECOND
    if "now" in params:
        now_ns = rpc_json.parse_time_ns(params["now"], "now")

    def check() -> None:
        known = Height(params["revision"], params["trusted"]["height"])
        if trusted_height != known:
            raise UnknownHeight(trusted_height, known)
        demand(revision_of(signed_header.header.chain_id) == params["revision"], "revision")
        judge_update(
            VERIFY,
            params["chain_id"],
            LightBlock(signed_header, rpc_json.validator_set_from_rpc(served["validator_set"])),
            trusted,
            rpc_json.validator_set_from_rpc(served["trusted_validators"]),
            Options(
                trust_level(params["trust_level"]),
                params["trusting_period_s"] * NANOSECONDS_PER_SECOND,
                params["max_clock_drift_s"] * NANOSECONDS_PER_SECOND,
            ),
            now_ns,
        )

    yield Verification("update", check)


@runs("tendermint-vec-header-hash")
def header_hashes(entry: Entry, group: Group) -> Iterator[Verification]:
    for index, case in enumerate(entry.json()):
        header = rpc_json.header_from_rpc(case["header"])
        expected = case["expected"]

        def check(header: Header = header, expected: str | None = expected) -> None:
            actual = header_hash(header)
            assert expected is not None and actual == bytes.fromhex(expected)

        yield Verification(f"header {index}", check, valid=expected is not None)


@runs("tendermint-vec-merkle-roots")
def merkle_roots(entry: Entry, group: Group) -> Iterator[Verification]:
    raw = bytes.fromhex
    for index, case in enumerate(entry.json()):
        if "items" in case:
            actual, expected = merkle.root([raw(item) for item in case["items"]]), case["root"]
        elif "leaf" in case:
            actual, expected = merkle.leaf_hash(raw(case["leaf"])), case["leaf_hash"]
        else:
            actual, expected = merkle.inner_hash(raw(case["left"]), raw(case["right"])), case["inner_hash"]

        def check(actual: bytes = actual, expected: str = expected) -> None:
            assert actual == bytes.fromhex(expected)

        yield Verification(f"case {index}", check)


@runs("tendermint-vec-vote-sign-bytes")
def vote_sign_bytes_file(entry: Entry, group: Group) -> Iterator[Verification]:
    for index, case in enumerate(entry.json()):
        vote = case["vote"]
        time = case["timestamp"].split(" ")[0]
        block_id = rpc_json.block_id_from_rpc(vote.get("block_id"))

        def check(case: dict = case, vote: dict = vote, time: str = time, block_id: BlockId = block_id) -> None:
            actual = vote_sign_bytes(
                case["chain_id"],
                vote.get("type", 0),
                int(vote.get("height", 0)),
                int(vote.get("round", 0)),
                block_id,
                rpc_json.parse_time_ns(time, "timestamp"),
            )
            assert actual == bytes.fromhex(case["sign_bytes"])

        yield Verification(f"vote {index}", check)
    assert rpc_json.parse_time_ns("0001-01-01T00:00:00Z", "time") == GO_ZERO_TIME_NS


def raw_hex(text: Any, field: str) -> bytes:
    """Bytes of hex with or without 0x. Raises MalformedInput for what is none: such a file is refused, it is no crash."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except (AttributeError, ValueError) as error:
        raise MalformedInput(field, "is not hex", got=text) from error


def number_of(height: Any) -> int:
    """A height as a number, a decimal text, `revision-height`, or an object of both."""
    if isinstance(height, dict):
        height = height["revision_height"]
    return int(str(height).rpartition("-")[2])


def client_state_from_json(raw: dict) -> ClientState:
    revision = revision_of(raw["chain_id"])
    return ClientState(
        chain_id=raw["chain_id"],
        trust_level=TrustLevel(int(raw["trust_level_numerator"]), int(raw["trust_level_denominator"])),
        trusting_period_ns=int(raw["trusting_period"]) * NANOSECONDS_PER_SECOND,
        unbonding_period_ns=int(raw["unbonding_period"]) * NANOSECONDS_PER_SECOND,
        max_clock_drift_ns=int(raw["max_clock_drift"]) * NANOSECONDS_PER_SECOND,
        frozen_height=Height(0, number_of(raw["frozen_height"])),
        latest_height=Height(revision, number_of(raw["latest_height"])),
        proof_specs=(ics23.IAVL_SPEC, ics23.TENDERMINT_SPEC),
        upgrade_path=("upgrade", "upgradedIBCState"),
    )


def consensus_state_from_json(raw: dict) -> ConsensusState:
    return ConsensusState(
        int(raw["timestamp"]),
        raw_hex(raw["root"], "root"),
        raw_hex(raw["next_validators_hash"], "next_validators_hash"),
    )


def states(case: dict) -> tuple[ClientState, ConsensusState]:
    if "client_state_hex" in case:
        client = decode_client_state(bytes.fromhex(case["client_state_hex"]))
        return client, decode_consensus_state(bytes.fromhex(case["consensus_state_hex"]))
    consensus = case.get("trusted_consensus_state") or case["consensus_state"]
    return client_state_from_json(case["client_state"]), consensus_state_from_json(consensus)


@runs("ibc-tm-update-hex", "ibc-tm-update-json")
def ibc_update(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    client, state = states(case)
    message = case["update_client_message"]
    latest = Height(client.latest_height.revision_number, entry.params["stored_height"])
    client = replace(client, latest_height=latest)
    stored = MemoryConsensusStates({latest: encode_consensus_state(state)})
    now_ns = rpc_json.parse_time_ns(entry.params["now"], "now")

    def check() -> None:
        trusted = Height(latest.revision_number, number_of(message["trusted_height"]))
        if stored.get(trusted) is None:
            raise UnknownHeight(trusted, latest)
        header = raw_hex(message["client_message_hex"], "client_message_hex")
        verdict = CLIENT.verify_header(encode_client_state(client), stored, header, now_ns)
        if not isinstance(verdict, Updated):
            raise PredicateFailed("updated", str(verdict))

    yield Verification("update", check)


@runs("ibc-tm-membership-hex", "ibc-tm-membership-json")
def ibc_membership(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    client, state = states(case)
    root = bytes.fromhex(entry.params["root"])
    state = ConsensusState(state.timestamp_ns, root, state.next_validators_hash)
    message = case["membership_msg"]
    store, key = message["path"]
    path = (store.encode("latin-1"), key.encode("latin-1"))
    proof, value = raw_hex(message["proof"], "proof"), raw_hex(message["value"] or "", "value")
    encoded = encode_client_state(client), encode_consensus_state(state)

    def check() -> None:
        if value:
            CLIENT.verify_membership(*encoded, proof, path, value)
        else:
            CLIENT.verify_non_membership(*encoded, proof, path)
        if case.get("packet") is not None:
            packet_matches(case["packet"], path[1], value)

    yield Verification("membership" if value else "non-membership", check)


def packet_matches(raw: dict, key: bytes, value: bytes) -> None:
    packet = Packet(
        sequence=raw["sequence"],
        source_client=raw["source_client"],
        destination_client=raw["dest_client"],
        timeout_timestamp_s=raw["timeout_timestamp"],
        payloads=tuple(
            Payload(
                payload["source_port"],
                payload["dest_port"],
                payload["version"],
                payload["encoding"],
                base64.b64decode(payload["value"]),
            )
            for payload in raw["payloads"]
        ),
    )
    if key == commitment.commitment_key(packet):
        expected = commitment.packet_commitment(packet)
    elif key == commitment.receipt_key(packet):
        expected = commitment.RECEIPT_VALUE
    elif key == commitment.acknowledgement_key(packet):
        if not value:
            return
        acknowledgement = Acknowledgement((base64.b64decode(raw["acknowledgement"]),))
        expected = commitment.acknowledgement_commitment(acknowledgement)
    else:
        raise MalformedInput("path", "is no path of the packet", got=key)
    # Nothing under the key is what an empty value says, and then there is nothing to compare.
    demand(not value or value == expected, "commitment", value, expected)
