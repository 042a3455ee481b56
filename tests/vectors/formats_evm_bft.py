"""Area evm_bft, QBFT, IBFT 2.0 and Istanbul: extra data, hash forms, client fixtures; and headers as nodes serve them."""

from collections.abc import Iterator

import pytest
import rlp
from eth_abi.abi import decode as abi_decode

from hutong.light_clients import clique
from hutong.light_clients.bft_evm import (
    BftEvmClient,
    ClientState,
    Consensus,
    ConsensusState,
    ExtraData,
    QuorumRule,
    SealRules,
    VoteKind,
    block_hash,
    decode_consensus_state,
    decode_extra_data,
    encode_client_state,
    encode_consensus_state,
    encode_extra_data,
    encode_header_message,
    header_of,
)
from hutong.light_clients.bft_evm.predicates import recover_proposer
from hutong.light_clients.bft_evm.verification import judge_seals
from hutong.light_clients.evm_header import ExecutionHeader, decode_header, encode_header, header_from_rpc, header_hash
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    Misbehaved,
    NotEnoughTrust,
    PredicateFailed,
    TooLittleOverlap,
    UnknownHeight,
    Updated,
    VerificationError,
    Verify,
)
from hutong.light_clients.proofs.mpt import decode_rlp, verify_account
from tests.vectors.vector_registry import Entry, Group, Verification, runs

CLIENT = BftEvmClient()


def from_hex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def claim(held: bool, predicate: str) -> None:
    """What the file says of a header that does not hold is a refusal, not a wrong result of ours."""
    if not held:
        raise PredicateFailed(predicate, "is not what the file says")


CONSENSUS = {"qbft": Consensus.QBFT, "ibft2": Consensus.IBFT2, "istanbul-v1": Consensus.ISTANBUL}


def consensus_of(entry: Entry) -> Consensus:
    return CONSENSUS[entry.params["consensus"]]


@runs("eth-header-json")
def eth_header(entry: Entry, group: Group) -> Iterator[Verification]:
    block = entry.json()

    def run():
        header = header_from_rpc(block)
        claim(header_hash(header) == from_hex(block["hash"]), "header_hash")
        assert decode_header(encode_header(header)) == header

    yield Verification("header hash", run)


def assert_decoded(extra: ExtraData, expected: dict) -> None:
    assert extra.vanity == from_hex(expected["vanity"])
    assert extra.validators == tuple(map(from_hex, expected["validators"]))
    assert extra.round == expected["round"]
    assert extra.seals == tuple(map(from_hex, expected["seals"]))
    if expected["vote"] is None:
        assert extra.vote is None
    else:
        assert extra.vote is not None
        assert extra.vote.recipient == from_hex(expected["vote"]["recipient"])
        assert extra.vote.kind is VoteKind(expected["vote"]["type"])


@runs("qbft-extradata-json")
def extra_data(entry: Entry, group: Group) -> Iterator[Verification]:
    assert consensus_of(entry) is Consensus.QBFT
    for case in entry.json():
        data = from_hex(case["extraData"])

        def run(case=case, data=data):
            extra = decode_extra_data(data)
            assert_decoded(extra, case["decoded"])
            assert encode_extra_data(extra) == data

        yield Verification(case["name"], run, valid="error" not in case)


HASH_FORMS = {
    "encode_without_commit_seals": ExtraData.without_seals,
    "encode_without_commit_seals_and_round": ExtraData.without_seals_and_round,
}


@runs("qbft-extradata-hash-forms-json")
def hash_forms(entry: Entry, group: Group) -> Iterator[Verification]:
    assert consensus_of(entry) is Consensus.QBFT
    decode_file = group.with_role("decode")
    assert decode_file is not None
    inputs = {case["name"]: from_hex(case["extraData"]) for case in decode_file.json()}
    for case in entry.json():

        def run(case=case):
            extra = decode_extra_data(inputs[case["input"]])
            assert encode_extra_data(HASH_FORMS[case["name"]](extra)) == from_hex(case["result"])

        yield Verification(case["name"], run)


def proof_nodes(text: str) -> tuple[bytes, ...]:
    """Nodes of a proof: an RLP list of nodes (each whole or as a string), ABI `bytes[]`, or nothing."""
    data = from_hex(text)
    if not data:
        return ()
    if data[0] >= 0xC0:
        nodes = decode_rlp(data, "proof")
        return tuple(node if isinstance(node, bytes) else rlp.encode(node) for node in nodes)
    return tuple(abi_decode(["bytes[]"], data)[0])


class Codeless(Verify):
    """Takes a router without code, after the client has refused it for that, and every other rule as it is."""

    def __call__(self, rule, /, *args):
        if rule.__name__ != "router_account_proven":
            return rule(*args)
        with pytest.raises(PredicateFailed, match="has no code"):
            rule(*args)
        client, header = args
        return verify_account(header.execution.state_root, client.router_address, header.account_proof).storage_root


class Fixture:
    """The client under test and the states that it has stored."""

    def __init__(self, case: dict, params: dict, consensus: Consensus) -> None:
        self.case = case
        self.consensus = consensus
        self.synthetic = params.get("synthetic", False)
        height = Height(0, int(case["initialTrustedHeight"]))
        self.client_state = encode_client_state(
            ClientState(
                chain_id=1,
                consensus=consensus,
                router_address=from_hex(case["routerAddress"]),
                trusting_period_s=int(case.get("trustingPeriod") or params["trusting_period_s"]),
                max_clock_drift_s=int(case.get("maxClockDrift") or params["max_clock_drift_s"]),
                latest_height=height,
            )
        )
        state = ConsensusState(
            int(case["initialTrustedTimestamp"]),
            from_hex(case["initialTrustedStorageRoot"]),
            tuple(sorted(map(from_hex, case["initialTrustedValidators"]))),
        )
        self.states = {height: encode_consensus_state(state)}

    def get(self, height):
        return self.states.get(height)

    def before(self, height):
        return max(((known, state) for known, state in self.states.items() if known < height), default=None)

    def after(self, height):
        return min(((known, state) for known, state in self.states.items() if known > height), default=None)

    def judge_codeless(self, message: bytes, now_ns: int):
        """The synthetic router has no code, which the client refuses (B40): every other rule is the client's own, and the
        storage root is what the proof library reads from the account."""
        try:
            return CLIENT.judge_header(Codeless(), self.client_state, self, message, now_ns)
        except TooLittleOverlap as overlap:
            return NotEnoughTrust(overlap.signed, overlap.needed, overlap.total)

    def judge(self, step: dict):
        execution = decode_header(from_hex(step["headerRlp"]))
        assert execution.number == step["height"]
        trusted = Height(0, int(step["trustedHeight"]))
        message = encode_header_message(
            header_of(trusted, execution, proof_nodes(step["accountProof"]), self.consensus)
        )
        now_ns = execution.timestamp_s * NANOSECONDS_PER_SECOND
        if self.synthetic:
            return self.judge_codeless(message, now_ns)
        return CLIENT.verify_header(self.client_state, self, message, now_ns)

    def accept_update(self, step: dict) -> None:
        verdict = self.judge(step)
        assert isinstance(verdict, Updated), verdict
        state = decode_consensus_state(verdict.consensus_state)
        assert state.timestamp_s == step["expectedTimestamp"]
        assert state.storage_root == from_hex(step["expectedStorageRoot"])
        assert state.validators == tuple(sorted(map(from_hex, step["expectedValidators"])))
        self.client_state = verdict.client_state
        self.states[verdict.height] = verdict.consensus_state

    def accept_proof(self, step: dict) -> None:
        height = Height(0, int(step["proofHeight"]))
        state = self.states.get(height)
        if state is None:
            raise UnknownHeight(height, max(self.states))
        proof = encode_storage_proof(StorageProof(proof_nodes(step["proof"])))
        path = (from_hex(step["path"]),)
        if "value" in step:
            CLIENT.verify_membership(self.client_state, state, proof, path, from_hex(step["value"]))
        else:
            CLIENT.verify_non_membership(self.client_state, state, proof, path)
        assert CLIENT.timestamp_ns(state) == step["expectedTimestamp"] * NANOSECONDS_PER_SECOND

    def refuse(self, step: dict, error: str) -> None:
        if "headerRlp" not in step:
            with pytest.raises(VerificationError):
                self.accept_proof(step)
        elif error == "ConflictingConsensusState":
            assert isinstance(self.judge(step), Misbehaved)
        elif error == "InsufficientTrustedValidatorOverlap":
            assert isinstance(self.judge(step), NotEnoughTrust)
        else:
            with pytest.raises(VerificationError) as caught:
                self.judge(step)
            if error == "InsufficientValidatorQuorum":
                assert isinstance(caught.value, PredicateFailed)
                assert caught.value.predicate == "quorum_of_own_validators"


@runs("besu-qbft-fixture")
def besu_fixture(entry: Entry, group: Group) -> Iterator[Verification]:
    case = entry.json()
    fixture = Fixture(case, entry.params, consensus_of(entry))
    for name in entry.params["accept"]:
        step = case[name]
        accept = fixture.accept_update if "headerRlp" in step else fixture.accept_proof
        yield Verification(name, lambda accept=accept, step=step: accept(step))
    for name, error in entry.params["reject"].items():
        yield Verification(name, lambda step=case[name], error=error: fixture.refuse(step, error))


@runs("evm-header-chain-json")
def header_chain(entry: Entry, group: Group) -> Iterator[Verification]:
    """Each block's hash under the chain's rule, the link to the next one, and who sealed it."""
    blocks = entry.json()["blocks"]
    judge = istanbul_block if entry.params["consensus"] == "istanbul-v1" else clique_block
    parents = {}
    for index, block in enumerate(blocks):
        execution = decode_header(from_hex(block["headerRlp"]))
        parents[execution.number] = from_hex(block["blockHash"])

        def run(block=block, execution=execution):
            claim(execution.number == block["number"], "number")
            assert encode_header(execution) == from_hex(block["headerRlp"])
            judge(execution, block, group)
            parent = parents.get(execution.number - 1)
            claim(parent is None or execution.parent_hash == parent, "parent_hash")

        listed = judge is istanbul_block or not execution.number or group.with_role("genesis") is not None
        unchecked = None if listed else "signers: the group has no genesis file that lists them"
        yield Verification(f"block {block['number']}", run, unchecked=unchecked)


def istanbul_block(execution: ExecutionHeader, block: dict, group: Group) -> None:
    header = header_of(Height(0, 0), execution, (), Consensus.ISTANBUL)
    validators = header.extra.validators
    claim(block_hash(execution, header.extra) == from_hex(block["blockHash"]), "block_hash")
    assert encode_extra_data(header.extra) == execution.extra_data
    if "validators" in block:
        claim(sorted(validators) == sorted(map(from_hex, block["validators"])), "validators")
    if execution.number == 0:
        return
    sealed = judge_seals(VERIFY, header, SealRules(Consensus.ISTANBUL, QuorumRule.TWO_F_PLUS_ONE))
    if "committers" in block:
        claim(sealed.committers == frozenset(map(from_hex, block["committers"])), "committers")
    if "proposer" in block:
        claim(recover_proposer(header) == from_hex(block["proposer"]), "proposer")


def clique_block(execution: ExecutionHeader, block: dict, group: Group) -> None:
    sealed = clique.sealed_block(execution)
    claim(sealed.hash == from_hex(block["blockHash"]), "block_hash")
    genesis = group.with_role("genesis")
    if execution.number:
        signer = clique.recover_signer(sealed)
        claim(genesis is None or signer in clique_genesis_signers(genesis), "signer_is_listed")
        claim("signer" not in block or signer == from_hex(block["signer"]), "signer")


def clique_genesis_signers(genesis: Entry) -> tuple[bytes, ...]:
    listed = from_hex(genesis.json()["extraData"])[32:-65]
    return tuple(listed[start : start + 20] for start in range(0, len(listed), 20))


@runs("clique-header-json")
def clique_header(entry: Entry, group: Group) -> Iterator[Verification]:
    for block in entry.json():

        def run(block=block):
            sealed = clique.sealed_block(header_from_rpc(block["header"]))
            claim(sealed.hash == from_hex(block["blockHash"]), "block_hash")
            claim(clique.recover_signer(sealed) == from_hex(block["signer"]), "signer")
            claim(sealed.signers == tuple(map(from_hex, block.get("checkpointSigners") or ())), "signers")

        yield Verification(f"{block['network']} {int(block['header']['number'], 16)}", run)


@runs("evm-genesis-json")
def genesis(entry: Entry, group: Group) -> Iterator[Verification]:
    """Facts: whose list the blocks of the group are checked against."""
    entry.json()
    yield from ()
