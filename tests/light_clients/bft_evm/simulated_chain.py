"""A whole QBFT, IBFT 2.0 or Istanbul chain in memory: N keys, a real state trie with a router account, sealed headers and proofs.

Tests say "commit this key, drop that validator, seal with two keys" and read like the attack that they prevent.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property

import rlp
from trie import HexaryTrie

from hutong.light_clients.bft_evm import (
    ClientState,
    Consensus,
    ConsensusState,
    ExtraData,
    Header,
    Misbehaviour,
    SealedBlock,
    SealRules,
    ValidatorContract,
    ValidatorsProof,
    block_hash,
    commit_seal_hash,
    encode_client_state,
    encode_consensus_state,
    encode_extra_data,
    encode_header_message,
    encode_misbehaviour,
)
from hutong.light_clients.bft_evm.contract import element_slots
from hutong.light_clients.bft_evm.extra_data import proposer_seal_hash
from hutong.light_clients.bft_evm.predicates import EMPTY_OMMERS_HASH, MIX_HASH
from hutong.light_clients.crypto import eth_address, keccak256, secp256k1
from hutong.light_clients.evm_header import ExecutionHeader, big_endian
from hutong.light_clients.ibc.evm_router import StorageProof, encode_storage_proof
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, MemoryConsensusStates

ROUTER = bytes.fromhex("00000000000000000000000000000000c0ffee00")
BASE_SLOT = bytes.fromhex("1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600")
ROUTER_CODE_HASH = keccak256(b"router code")
EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
CONTRACT = ValidatorContract(bytes.fromhex("0000000000000000000000000000000000007777"), (3).to_bytes(32, "big"))
GENESIS_TIME_S = 1_700_000_000
CHAIN_ID = 1337


def key_of(number: int) -> bytes:
    """The private key of the n-th validator ever."""
    return keccak256(b"validator" + number.to_bytes(4, "big"))


def address_of(private_key: bytes) -> bytes:
    return eth_address(secp256k1.public_key_of(private_key))


def slot_of(key: bytes, base_slot: bytes = BASE_SLOT) -> bytes:
    return keccak256(keccak256(key) + base_slot)


def trie_of(entries: dict[bytes, bytes]) -> HexaryTrie:
    """A secure trie: keys are hashed."""
    trie = HexaryTrie({})
    for key, value in entries.items():
        trie[keccak256(key)] = value
    return trie


def proof_nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """RLP nodes, root first; a node below 32 bytes stands inside its parent and is not listed."""
    if trie.root_hash == EMPTY_ROOT:
        return ()
    encoded = [rlp.encode(node) for node in trie.get_proof(keccak256(key))]
    return tuple(node for index, node in enumerate(encoded) if index == 0 or len(node) >= 32)


@cache
def bystanders() -> HexaryTrie:
    """Forty accounts that stand beside the router in every state."""
    return trie_of({keccak256(bytes([n]))[:20]: rlp.encode([n, 10**18, EMPTY_ROOT, keccak256(b"")]) for n in range(40)})


@dataclass(frozen=True)
class State:
    """World state after a block: storage of the router by slot, and its account among others."""

    storage: dict[bytes, bytes]
    code_hash: bytes = ROUTER_CODE_HASH
    router: bytes = ROUTER
    balance_wei: int = 0
    selected: tuple[bytes, ...] | None = None
    """What the validator contract selects for the next block, where there is one."""

    @cached_property
    def storage_trie(self) -> HexaryTrie:
        return trie_of({slot: rlp.encode(value.lstrip(b"\0")) for slot, value in self.storage.items()})

    @cached_property
    def account_trie(self) -> HexaryTrie:
        base = bystanders()
        trie = HexaryTrie(dict(base.db), base.root_hash)
        router = [1, self.balance_wei, self.storage_trie.root_hash, self.code_hash]
        trie[keccak256(self.router)] = rlp.encode(router)
        if self.selected is not None:
            contract = [1, 0, self.contract_trie.root_hash, keccak256(b"validator contract code")]
            trie[keccak256(CONTRACT.address)] = rlp.encode(contract)
        return trie

    @cached_property
    def contract_trie(self) -> HexaryTrie:
        selected = self.selected or ()
        words = {CONTRACT.slot: big_endian(len(selected)), bytes(32): b"\x01"}
        words |= dict(zip(element_slots(CONTRACT.slot, len(selected)), selected, strict=True))
        return trie_of({slot: rlp.encode(word.lstrip(b"\0")) for slot, word in words.items() if word})

    def validators_proof(self, parent: SealedBlock) -> ValidatorsProof:
        """Of the list that the state selects: `parent` is the block that left it behind."""
        trie = self.contract_trie
        slots = (CONTRACT.slot, *element_slots(CONTRACT.slot, len(self.selected or ())))
        return ValidatorsProof(
            parent,
            proof_nodes(self.account_trie, CONTRACT.address),
            tuple(proof_nodes(trie, slot) for slot in slots),
        )


def unsealed_header(
    number: int, time_s: int, parent_hash: bytes, state_root: bytes, proposer: bytes
) -> ExecutionHeader:
    return ExecutionHeader(
        parent_hash=parent_hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=proposer,
        state_root=state_root,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        logs_bloom=bytes(256),
        difficulty=1,
        number=number,
        gas_limit=30_000_000,
        gas_used=0,
        timestamp_s=time_s,
        extra_data=b"",
        mix_hash=MIX_HASH,
        nonce=bytes(8),
        base_fee_per_gas_wei=0,
    )


def seal(
    header: ExecutionHeader, extra: ExtraData, signers: list[bytes], proposer: bytes | None = None
) -> tuple[ExecutionHeader, ExtraData]:
    """Seal with `signers` in order, whoever they are and however often they come; under Istanbul the proposer seals first."""
    extra = replace(extra, seals=())
    if extra.consensus is Consensus.ISTANBUL and proposer is not None:
        digest = proposer_seal_hash(header, extra)
        extra = replace(extra, proposer_seal=secp256k1.sign_recoverable(proposer, digest))
    digest = commit_seal_hash(header, extra)
    extra = replace(extra, seals=tuple(secp256k1.sign_recoverable(key, digest) for key in signers))
    return replace(header, extra_data=encode_extra_data(extra)), extra


class SimulatedChain:
    """Heights start at 1 with the first block. Every method that changes the next block returns nothing; `advance` seals."""

    def __init__(self, validators: int = 4, period_s: int = 1, rules: SealRules | None = None) -> None:
        self.rules = SealRules() if rules is None else rules
        self.keys = [key_of(number) for number in range(validators)]
        self.selected: dict[int, list[bytes]] = {}
        """Whom the validator contract selects after each block."""
        self.period_s = period_s
        self.storage: dict[bytes, bytes] = {}
        self.headers: dict[int, tuple[ExecutionHeader, ExtraData]] = {}
        self.states: dict[int, State] = {}
        self.commit(b"client-0\x01" + bytes(8), b"\x11" * 32)
        self.advance()

    @property
    def height(self) -> int:
        return len(self.headers)

    @property
    def now_ns(self) -> int:
        """The head's own time."""
        return self.headers[self.height][0].timestamp_s * NANOSECONDS_PER_SECOND

    def commit(self, key: bytes, value: bytes) -> None:
        self.storage = {**self.storage, slot_of(key): value}

    def delete(self, key: bytes) -> None:
        self.storage = {slot: value for slot, value in self.storage.items() if slot != slot_of(key)}

    def replace_validators(self, numbers: range | list[int]) -> None:
        self.keys = [key_of(number) for number in numbers]

    def advance(self, blocks: int = 1, signers: list[bytes] | None = None, round_number: int = 0) -> None:
        for _ in range(blocks):
            number = self.height + 1
            state = self.states[number] = self.next_state(number)
            self.headers[number] = self.propose(number, state, signers=signers, round_number=round_number)

    def next_state(self, number: int) -> State:
        """The world after block `number`; a validator contract selects whoever has a key now for the block after it."""
        state = State(self.storage)
        if self.rules.validator_contract is not None:
            self.selected[number] = list(self.keys)
            state = replace(state, selected=tuple(map(address_of, self.keys)))
        return state

    def propose(
        self,
        number: int,
        state: State | None = None,
        *,
        signers: list[bytes] | None = None,
        validators: tuple[bytes, ...] | None = None,
        time_s: int | None = None,
        round_number: int = 0,
        proposer: bytes | None = None,
        **changed_fields: object,
    ) -> tuple[ExecutionHeader, ExtraData]:
        """A sealed header at `number` that need not be the chain's own: an attacker's or an earlier round's."""
        state = state or self.states[number]
        parent = self.headers.get(number - 1)
        parent_hash = block_hash(*parent) if parent else bytes(32)
        keys = self.selected.get(number - 1, self.keys)
        listed = tuple(sorted(map(address_of, keys))) if validators is None else validators
        if self.rules.validator_contract is not None and validators is None:
            listed = ()
        header = unsealed_header(
            number,
            GENESIS_TIME_S + number * self.period_s if time_s is None else time_s,
            parent_hash,
            state.account_trie.root_hash,
            address_of(keys[0]),
        )
        header = replace(header, **changed_fields)
        consensus = self.rules.consensus
        width = 4 if consensus is Consensus.IBFT2 else 0
        number_of_round = 0 if consensus is Consensus.ISTANBUL else round_number
        extra = ExtraData(bytes(32), listed, None, number_of_round, (), consensus, width)
        return seal(header, extra, keys if signers is None else signers, proposer or keys[0])

    def client_state(self, height: int, **changed: object) -> bytes:
        state = ClientState(
            chain_id=CHAIN_ID,
            consensus=self.rules.consensus,
            quorum_rule=self.rules.quorum_rule,
            validator_contract=self.rules.validator_contract,
            router_address=ROUTER,
            trusting_period_s=1_000,
            max_clock_drift_s=15,
            latest_height=Height(0, height),
        )
        return encode_client_state(replace(state, **changed))

    def consensus_state(self, height: int) -> bytes:
        header, extra = self.headers[height]
        root = self.states[height].storage_trie.root_hash
        listed = extra.validators or tuple(map(address_of, self.selected.get(height - 1, self.keys)))
        return encode_consensus_state(ConsensusState(header.timestamp_s, root, tuple(sorted(listed))))

    def update(
        self,
        height: int,
        trusted_height: int,
        sealed_header: tuple[ExecutionHeader, ExtraData] | None = None,
        state: State | None = None,
    ) -> Header:
        """The header of `height`, or another one said to be it, with the account proof of `state`."""
        execution, extra = sealed_header or self.headers[height]
        state = state or self.states[height]
        validators_proof = None
        if self.rules.validator_contract is not None and height > 1:
            parent = SealedBlock(*self.headers[height - 1])
            validators_proof = self.states[height - 1].validators_proof(parent)
        account_proof = proof_nodes(state.account_trie, state.router)
        return Header(Height(0, trusted_height), execution, extra, account_proof, validators_proof)

    def header(self, height: int, trusted_height: int) -> bytes:
        return encode_header_message(self.update(height, trusted_height))

    def misbehaviour(self, first: Header, second: Header) -> bytes:
        return encode_misbehaviour(Misbehaviour(first, second))

    def value(self, height: int, key: bytes) -> bytes | None:
        return self.states[height].storage.get(slot_of(key))

    def proof(self, height: int, key: bytes) -> bytes:
        return encode_storage_proof(StorageProof(proof_nodes(self.states[height].storage_trie, slot_of(key))))


def trusting(chain: SimulatedChain, *heights: int) -> tuple[bytes, MemoryConsensusStates]:
    """Client state and stored states of a client that has been brought to `heights`."""
    states = {Height(0, height): chain.consensus_state(height) for height in heights}
    return chain.client_state(max(heights)), MemoryConsensusStates(states)
