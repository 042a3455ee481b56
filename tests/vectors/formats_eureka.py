"""Area ethereum, end-to-end runs of solidity-ibc-eureka: updates, account proofs and packets of an Ethereum devnet."""

import json
from collections.abc import Iterator
from functools import partial

from formats_ethereum import from_hex, network_of, require
from vector_registry import Entry, Group, Verification, runs

from light_clients.crypto import keccak256
from light_clients.ethereum import (
    ClientState,
    ConsensusState,
    EthereumClient,
    Header,
    SyncCommittee,
    TrustedCommittees,
    beacon_block_root,
    encode_client_state,
    encode_consensus_state,
    supermajority,
    sync_committee_root,
)
from light_clients.ethereum import beacon_json as api
from light_clients.ethereum.client import consensus_state_of
from light_clients.ethereum.verification import after_update, trusted_update_checks
from light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from light_clients.ibc.evm_router import StorageProof, encode_storage_proof, router_storage_root
from light_clients.ibc.packet import decode_acknowledgement, decode_packet
from light_clients.interface import run_checks
from light_clients.proofs.mpt import mapping_slot, verify_storage
from light_clients.protobuf import cosmos_tx_pb2, evm_router_pb2

CLIENT = EthereumClient()
UNKNOWN = b"\1" * 32
"""Stands for the root of a committee of which the file has only the aggregate key, and that never signs."""


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


class Devnet:
    """The wasm client of the file as far as it is known, beside ours."""

    def __init__(self, entry: Entry, initial: dict) -> None:
        self.network = network_of(entry.params)
        self.parameters = initial["client_state"]
        self.state = initial["consensus_state"]
        self.router = from_hex(self.parameters["ibc_contract_address"])
        self.finalized_slot = int(self.state["slot"])
        self.roots: dict[str, bytes | None] = {"Current": None, "Next": None}
        self.headers: dict[int, Header] = {}
        self.states: dict[int, ConsensusState] = {}

    def stored_committee(self, which: str, committee: SyncCommittee) -> None:
        """The committee given is the stored one: by our root, or at first by the aggregate key that the file has."""
        root = self.roots[which]
        if root is not None:
            require(root == sync_committee_root(committee), "committee_is_trusted", "another committee is stored")
            return
        stored = self.state[f"{which.lower()}_sync_committee"]
        aggregate = stored["aggregate_pubkey"] if isinstance(stored, dict) else stored
        require(from_hex(aggregate) == committee.aggregate_pubkey, "committee_is_trusted", "another aggregate key")

    def update(self, raw: dict, account_proof: tuple[bytes, ...] | None = None) -> None:
        active = raw.get("active_sync_committee") or raw["trusted_sync_committee"]
        active = active.get("sync_committee", active)
        ((which, committee_json),) = active.items()
        committee = api.sync_committee(committee_json, self.network.preset)
        self.stored_committee(which, committee)
        data = decimal_fees(raw["consensus_update"])
        fork = self.network.fork_at(int(data["attested_header"]["beacon"]["slot"]))
        update = api.update(data, fork, self.network.preset)
        root = sync_committee_root(committee)
        others = self.roots["Next"] or UNKNOWN
        trusted = (
            TrustedCommittees(self.finalized_slot, root, others)
            if which == "Current"
            else TrustedCommittees(self.finalized_slot, self.roots["Current"] or UNKNOWN, root)
        )
        minimum = supermajority(self.network.preset.sync_committee_size)
        current_slot = update.signature_slot
        run_checks(trusted_update_checks(update, committee, trusted, self.network, minimum, current_slot))
        moved = after_update(trusted, update, self.network)
        self.finalized_slot = moved.finalized_slot
        self.roots = {"Current": moved.current_root, "Next": moved.next_root}
        self.headers[update.finalized_slot] = Header(fork, update, committee)
        if raw.get("account_update") is not None:
            account_proof = nodes_of(raw["account_update"]["account_proof"])
        if account_proof is not None and "trusted_sync_committee" not in raw:
            self.prove_account(update.finalized_slot, account_proof)

    def prove_account(self, slot: int, nodes: tuple[bytes, ...]) -> None:
        header = self.headers[slot].update.finalized_header
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
                committees=TrustedCommittees(
                    self.finalized_slot, self.roots["Current"] or UNKNOWN, self.roots["Next"] or UNKNOWN
                ),
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
        client, state = self.client_state(), encode_consensus_state(self.states[slot])
        if wanted is None:
            CLIENT.verify_non_membership(client, state, encoded, (key,))
        else:
            require(word(claim["value"]) == wanted, "word_matches", "another value is claimed")
            CLIENT.verify_membership(client, state, encoded, (key,), wanted)

    # The five-step files are of an earlier contract: other base slot, and states of the attested header.

    def update_attested(self, raw: dict) -> None:
        self.update(raw)
        header = self.headers[max(self.headers)].update.attested_header
        assert header.execution is not None
        nodes = nodes_of(raw["account_update"]["account_proof"])
        root = router_storage_root(header.execution.state_root, self.router, nodes)
        self.attested = ConsensusState(
            header.execution.timestamp_s, root, header.execution.state_root, 0, beacon_block_root(header.beacon)
        )
        claimed = raw["account_update"]["account_proof"]["storage_root"]
        require(root == from_hex(claimed), "router_account_proven", "another storage root is claimed")

    def storage_proof(self, data: dict) -> None:
        proof, state = data["storage_proof"], data["consensus_state"]
        root = from_hex(state["storage_root"])
        require(root == self.attested.storage_root, "storage_root", "another one is stored")
        require(from_hex(state["state_root"]) == self.attested.state_root, "state_root", "another one is stored")
        require(int(state["timestamp"]) == self.attested.timestamp_s, "timestamp", "another one is stored")
        slot = mapping_slot(keccak256(from_hex(data["path"])), word(self.parameters["ibc_commitment_slot"]))
        require(slot == word(proof["key"]), "slot", "another slot is proven")
        value = verify_storage(root, slot, nodes_of(proof))
        require(value == word(proof["value"]), "word_matches", "another word is proven")


def messages_of(data: dict) -> list:
    body = cosmos_tx_pb2.TxBody.FromString(bytes.fromhex(data["relayer_tx_body"].removeprefix("0x")))
    return list(body.messages)


def header_of(message) -> dict:
    update = cosmos_tx_pb2.MsgUpdateClient.FromString(message.value)
    # ibc.lightclients.wasm.v1.ClientMessage is one bytes field with number 1, as the message read here.
    return json.loads(evm_router_pb2.StorageProof.FromString(update.client_message.value).nodes[0])


@runs("eureka-e2e-json")
def end_to_end(entry: Entry, group: Group) -> Iterator[Verification]:
    document = entry.json()
    kinds = entry.params["steps"]
    if entry.expected == "facts":
        return
    devnet: Devnet | None = None
    for kind, step in zip(kinds, document["steps"], strict=True):
        data = step["data"]
        if kind == "initial_state":
            devnet = Devnet(entry, data)
            continue
        assert devnet is not None
        if kind == "updates":
            for index, raw in enumerate(data["updates"]):
                yield Verification(f"{step['name']} update {index}", partial(devnet.update_attested, raw))
        elif kind == "storage_proof":
            yield Verification(step["name"], partial(devnet.storage_proof, data))
        elif kind == "cosmos_tx":
            for message in messages_of(data):
                name = message.type_url.rsplit(".", 1)[-1]
                if name == "MsgUpdateClient":
                    yield Verification(f"{step['name']} {name}", partial(devnet.update, header_of(message)))
                else:
                    yield Verification(f"{step['name']} {name}", partial(devnet.packet, name, message.value))
