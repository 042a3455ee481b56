"""Area ethereum, end-to-end runs of solidity-ibc-eureka: updates, account proofs and packets of an Ethereum devnet."""

import json
from collections.abc import Iterator
from functools import partial

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.ethereum import (
    ClientState,
    ConsensusState,
    EthereumClient,
    Header,
    Network,
    TrustedCommittees,
    Update,
    encode_client_state,
    encode_consensus_state,
    supermajority,
    sync_committee_root,
)
from hutong.light_clients.ethereum import beacon_json as api
from hutong.light_clients.ethereum.client import consensus_state_of
from hutong.light_clients.ethereum.predicates import SPEC
from hutong.light_clients.ethereum.verification import (
    after_update,
    judge_branches,
    judge_content,
    judge_signature,
    judge_trusted_update,
)
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.evm_router import (
    CommitmentRules,
    ProofContext,
    StorageProof,
    encode_storage_proof,
    router_storage_root,
)
from hutong.light_clients.ibc.packet import decode_acknowledgement, decode_packet
from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.light_clients.proofs.mpt import mapping_slot, verify_storage
from hutong.light_clients.proofs.ssz import bytes_root, container_root
from hutong.light_clients.protobuf import cosmos_tx_pb2, evm_router_pb2
from tests.vectors.formats_ethereum import from_hex, network_of, require
from tests.vectors.vector_registry import Entry, Group, Verification, runs

CLIENT = EthereumClient()


def nodes_of(proof: dict) -> tuple[bytes, ...]:
    return tuple(map(from_hex, proof["proof"]))


def word(text: str) -> bytes:
    digits = text.removeprefix("0x")
    return int(digits or "0", 16).to_bytes(32, "big")


def decimal_fees(update: dict) -> dict:
    """Some files have the base fee, a 256-bit number, in hex; the Beacon API has decimal texts alone."""
    for name in ("attested_header", "finalized_header"):
        execution = update[name]["execution"]
        fee = execution["base_fee_per_gas"]
        if isinstance(fee, str) and fee.startswith("0x"):
            execution["base_fee_per_gas"] = str(int(fee, 16))
    return update


def given_committee(raw: dict) -> tuple[str, dict, int | None]:
    """Which stored committee a header says has signed it, its keys, and the slot of the state that stores it, if it says."""
    active = raw.get("active_sync_committee") or raw["trusted_sync_committee"]
    slot = raw.get("trusted_slot", active.get("trusted_slot"))
    named = active.get("sync_committee", active)
    for which in ("Current", "Next"):
        committee = named.get(which, named.get(f"{which.lower()}_sync_committee"))
        if committee is not None:
            return which, committee, None if slot is None else int(slot)
    raise MalformedInput("sync_committee", "is neither the current nor the next one")


class KnownCommittees:
    """Every committee of which the file has the keys, wherever in it they stand, found by what a state says of one."""

    def __init__(self, headers: list[dict], network: Network) -> None:
        found = [given_committee(raw)[1] for raw in headers]
        found += [raw["consensus_update"].get("next_sync_committee") for raw in headers]
        self._roots: dict[bytes, set[bytes]] = {}
        for raw in found:
            if raw is not None:
                committee = api.sync_committee(raw, network.preset)
                self._roots.setdefault(committee.aggregate_pubkey, set()).add(sync_committee_root(committee))

    def root(self, stored: dict | str | None) -> bytes | None:
        """Root of a stored committee: of its summary, or of the one committee in the file with its aggregate key."""
        if stored is None:
            return None
        if isinstance(stored, dict) and "pubkeys_hash" in stored:
            aggregate = from_hex(stored["aggregate_pubkey"])
            return container_root((from_hex(stored["pubkeys_hash"]), bytes_root(aggregate)))
        aggregate = from_hex(stored["aggregate_pubkey"] if isinstance(stored, dict) else stored)
        roots = self._roots.get(aggregate, set())
        return next(iter(roots)) if len(roots) == 1 else None


class Devnet:
    """The wasm client of the file beside ours: what it trusts by slot of its states, and the headers that were applied."""

    def __init__(self, entry: Entry, initial: dict, headers: list[dict]) -> None:
        self.network = network_of(entry.params)
        self.parameters = initial["client_state"]
        self.router = from_hex(self.parameters["ibc_contract_address"])
        state = initial["consensus_state"]
        known = KnownCommittees(headers, self.network)
        slot, current = int(state["slot"]), known.root(state["current_sync_committee"])
        self.latest_slot = slot
        self.trusted: dict[int, TrustedCommittees] = {}
        if current is not None:
            self.trusted[slot] = TrustedCommittees(slot, current, known.root(state.get("next_sync_committee")))
        self.headers: dict[int, Header] = {}
        self.states: dict[int, ConsensusState] = {}
        self.attested: dict[bytes, ConsensusState] = {}

    def unchecked(self, raw: dict | None = None) -> str | None:
        """What of a header, or of a packet under the newest state, the file has too little for."""
        slot = None if raw is None else given_committee(raw)[2]
        if slot in (None, self.latest_slot) and self.latest_slot not in self.trusted:
            return "trust: the file has neither root nor keys of the committee that is trusted at its start"
        return None

    def update(self, raw: dict) -> Header:
        which, committee_json, slot = given_committee(raw)
        committee = api.sync_committee(committee_json, self.network.preset)
        data = decimal_fees(raw["consensus_update"])
        fork = self.network.fork_at(int(data["attested_header"]["beacon"]["slot"]))
        update = api.update(data, fork, self.network.preset)
        minimum = supermajority(self.network.preset.sync_committee_size)
        if self.unchecked(raw) is None:
            trusted = self.trusted.get(self.latest_slot if slot is None else slot)
            require(trusted is not None, "trusted_state_known", f"no state is stored at slot {slot}")
            stored = trusted.current_root if which == "Current" else trusted.next_root
            require(stored == sync_committee_root(committee), "committee_is_trusted", "another committee is stored")
            current_slot = update.signature_slot
            judge_trusted_update(VERIFY, update, committee, trusted, self.network, minimum, current_slot)
            moved = after_update(trusted, update, self.network)
            self.trusted[moved.finalized_slot] = moved
            self.latest_slot = max(self.latest_slot, moved.finalized_slot)
        else:
            judge_content(VERIFY, update, committee, self.network, minimum)
            judge_branches(VERIFY, update, self.network)
            judge_signature(VERIFY, update, committee, self.network)
        header = self.headers[update.finalized_slot] = Header(fork, update, committee)
        return header

    def update_with_account(self, raw: dict) -> None:
        """A header of a transaction; its account proof, if it has one, is of the finalized block, in old files of the attested."""
        update = self.update(raw).update
        if raw.get("account_update") is None:
            return
        try:
            self.prove_account(update.finalized_slot, nodes_of(raw["account_update"]["account_proof"]))
        except VerificationError:
            if "trusted_sync_committee" not in raw:
                raise
            self.attest(update, raw)

    def prove_account(self, slot: int, nodes: tuple[bytes, ...]) -> None:
        applied = self.headers.get(slot)
        require(applied is not None, "proof_height_known", f"no header finalizes slot {slot}")
        header = applied.update.finalized_header
        assert header is not None and header.execution is not None
        root = router_storage_root(header.execution.state_root, self.router, nodes)
        self.states[slot] = consensus_state_of(header, root)

    def client_state(self) -> bytes:
        size = self.network.preset.sync_committee_size
        return encode_client_state(
            ClientState(
                chain_id=int(self.parameters["chain_id"]),
                network=self.network,
                router_address=self.router,
                min_participants=supermajority(size),
                trusting_period_s=10**6,
                max_clock_drift_s=15,
                committees=self.trusted[self.latest_slot],
            )
        )

    def packet(self, kind: str, value: bytes) -> None:
        message = getattr(cosmos_tx_pb2, kind).FromString(value)
        packet = decode_packet(message.packet.SerializeToString())
        slot = message.proof_height.revision_height
        if kind == "MsgRecvPacket":
            proof, key, wanted = message.proof_commitment, commitment_key(packet), packet_commitment(packet)
        elif kind == "MsgAcknowledgement":
            acknowledgement = decode_acknowledgement(message.acknowledgement.SerializeToString())
            proof, key = message.proof_acked, acknowledgement_key(packet)
            wanted = acknowledgement_commitment(acknowledgement)
        else:
            assert kind == "MsgTimeout", kind
            proof, key, wanted = message.proof_unreceived, receipt_key(packet), None
        claim = json.loads(proof)
        if "account_proof" in claim:
            self.prove_account(slot, nodes_of(claim["account_proof"]))
            require(
                self.states[slot].storage_root == from_hex(claim["account_proof"]["storage_root"]),
                "router_account_proven",
                "another storage root is claimed",
            )
            claim = claim["storage_proof"]
        encoded = encode_storage_proof(StorageProof(nodes_of(claim)))
        require(slot in self.states, "proof_height_known", f"no account is proven at slot {slot}")
        require(word(claim["value"]) == (wanted or bytes(32)), "word_matches", "another value is claimed")
        if self.unchecked() is not None:
            root = self.states[slot].storage_root
            rules = CommitmentRules(SPEC, lambda *_: ProofContext(False, root))
            rules.judge(VERIFY, b"", b"", encoded, (key,), wanted)
            return
        client, state = self.client_state(), encode_consensus_state(self.states[slot])
        if wanted is None:
            CLIENT.verify_non_membership(client, state, encoded, (key,))
        else:
            CLIENT.verify_membership(client, state, encoded, (key,), wanted)

    # The five-step files are of an earlier contract: other base slot, and states of the attested header.

    def attest(self, update: Update, raw: dict) -> None:
        """The state of the attested block, under the attested slot too."""
        if self.latest_slot in self.trusted:
            self.trusted[update.attested_slot] = self.trusted[self.latest_slot]
        header = update.attested_header
        assert header.execution is not None
        nodes = nodes_of(raw["account_update"]["account_proof"])
        root = router_storage_root(header.execution.state_root, self.router, nodes)
        state = consensus_state_of(header, root)
        self.attested[header.execution.state_root] = self.states[update.attested_slot] = state
        claimed = raw["account_update"]["account_proof"]["storage_root"]
        require(root == from_hex(claimed), "router_account_proven", "another storage root is claimed")

    def update_attested(self, raw: dict) -> None:
        self.attest(self.update(raw).update, raw)

    def storage_proof(self, data: dict) -> None:
        proof, state = data["storage_proof"], data["consensus_state"]
        attested = self.attested.get(from_hex(state["state_root"]))
        require(attested is not None, "state_root", "no header with that state root was applied")
        root = from_hex(state["storage_root"])
        require(root == attested.storage_root, "storage_root", "another one is stored")
        require(int(state["timestamp"]) == attested.timestamp_s, "timestamp", "another one is stored")
        slot = mapping_slot(keccak256(from_hex(data["path"])), word(self.parameters["ibc_commitment_slot"]))
        require(slot == word(proof["key"]), "slot", "another slot is proven")
        value = verify_storage(root, slot, nodes_of(proof)) or bytes(32)
        require(value == word(proof["value"]), "word_matches", "another word is proven")


def messages_of(data: dict) -> list:
    body = cosmos_tx_pb2.TxBody.FromString(from_hex(data["relayer_tx_body"]))
    return list(body.messages)


def message_name(message) -> str:
    return message.type_url.rsplit(".", 1)[-1]


def header_of(message) -> dict:
    update = cosmos_tx_pb2.MsgUpdateClient.FromString(message.value)
    # ibc.lightclients.wasm.v1.ClientMessage is one bytes field with number 1, as the message read here.
    return json.loads(evm_router_pb2.StorageProof.FromString(update.client_message.value).nodes[0])


def headers_of(kind: str, data: dict) -> list[dict]:
    if kind == "updates":
        return data["updates"]
    if kind == "cosmos_tx":
        return [header_of(m) for m in messages_of(data) if message_name(m) == "MsgUpdateClient"]
    return []


@runs("eureka-e2e-json")
def end_to_end(entry: Entry, group: Group) -> Iterator[Verification]:
    if entry.expected == "facts":
        return
    steps = list(zip(entry.params["steps"], entry.json()["steps"], strict=True))
    headers = [raw for kind, step in steps for raw in headers_of(kind, step["data"])]
    devnet: Devnet | None = None
    for kind, step in steps:
        data, name = step["data"], step["name"]
        if kind == "initial_state":
            devnet = Devnet(entry, data, headers)
            continue
        if kind == "evm_calldata":
            continue
        assert devnet is not None
        if kind == "updates":
            for index, raw in enumerate(data["updates"]):
                run = partial(devnet.update_attested, raw)
                yield Verification(f"{name} update {index}", run, unchecked=devnet.unchecked(raw))
        elif kind == "storage_proof":
            yield Verification(name, partial(devnet.storage_proof, data))
        else:
            assert kind == "cosmos_tx", f"unknown kind of step: {kind}"
            for message in messages_of(data):
                yield from message_verification(devnet, name, message)


def message_verification(devnet: Devnet, step: str, message) -> Iterator[Verification]:
    kind = message_name(message)
    if kind == "MsgUpdateClient":
        raw = header_of(message)
        yield Verification(f"{step} {kind}", partial(devnet.update_with_account, raw), unchecked=devnet.unchecked(raw))
    else:
        run = partial(devnet.packet, kind, message.value)
        yield Verification(f"{step} {kind}", run, unchecked=devnet.unchecked())
