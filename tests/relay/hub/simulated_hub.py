"""A whole one-validator hub in memory, and QBFT chains at its other ends: real blocks, headers, proofs, transactions.

Time is set by the test. "A sends, the hub receives, B answers" reads as such.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from hashlib import sha256

from eth_abi.abi import decode
from eth_account import Account
from eth_utils import to_checksum_address

from hutong.light_clients.bft_evm import SealRules
from hutong.light_clients.crypto import secp256k1
from hutong.light_clients.ibc.abi import ABI_ENCODING, PACKET_TUPLE, packet_from_tuple, packet_to_tuple
from hutong.light_clients.ibc.commitment import (
    acknowledgement_commitment,
    acknowledgement_key,
    commitment_key,
    packet_commitment,
    receipt_key,
)
from hutong.light_clients.ibc.forward import FORWARD_PORT, FORWARD_VERSION, ForwardRequest, encode_forward_request
from hutong.light_clients.ibc.gmp import GMP_PORT, GMP_VERSION, GmpPacketData, encode_gmp
from hutong.light_clients.ibc.packet import Acknowledgement, Packet, Payload
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height
from hutong.light_clients.proofs.ics23 import SMT_SPEC
from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.skip_certificate import is_certificate
from hutong.light_clients.tendermint.types import (
    BlockId,
    ClientState,
    Commit,
    ConsensusState,
    KeyType,
    SignedHeader,
    SignedMessageType,
    TendermintHeader,
    TrustLevel,
)
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.evm.vm.outcomes import CallMessage
from hutong.relay.evm.vm.transaction import decode_cached
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import AdminSet, action_hash, create_client_action, register_counterparty_action
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, make_block
from hutong.relay.hub.consensus.types import NIL, Block, Vote
from hutong.relay.hub.consensus.votes import Tally, vote_bytes
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from tests.light_clients.bft_evm import simulated_chain as qbft

GENESIS_TIME_S = qbft.GENESIS_TIME_S
EVM_CHAIN_ID = 41_000
VALIDATOR = validator_key(sha256(b"hub validator").digest())
ADMINS = [Account.from_key(sha256(b"admin %d" % number).digest()) for number in range(3)]
RELAYER = Account.from_key(sha256(b"relayer").digest())
STRANGER = Account.from_key(sha256(b"stranger").digest())
DAPP = Account.from_key(sha256(b"dapp").digest())
ANSWER = b"\x20" + b"answer of the application"


def address_of(account) -> bytes:
    return bytes.fromhex(account.address[2:])


def code_rules(rules_version, rules=CodeRules(is_open=True)):
    """Everybody runs code in most tests, as under the rules before."""
    return rules if rules_version >= rules_versions.BOUNDED_EXECUTION else None


def hub_genesis(
    *, fees=None, rules_version=rules_versions.NEWEST, code=CodeRules(is_open=True), libraries=(), **params
):
    hub = NewHub(
        "hutong-1",
        EVM_CHAIN_ID,
        GENESIS_TIME_S * NANOSECONDS_PER_SECOND,
        AdminSet(tuple(address_of(account) for account in ADMINS), 2),
        HubParams(**params),
        ((address_of(DAPP), 10**24),),
        rules_version,
        fees=fees,
        code=code_rules(rules_version, code),
        libraries=libraries,
    )
    return build_genesis(hub, (VALIDATOR,))


def decoded(*raw: bytes):
    """As a pool hands them to a proposer."""
    return [decode_cached(item, EVM_CHAIN_ID) for item in raw]


@dataclass
class Outcome:
    """One executed transaction."""

    code: int
    data: bytes
    log: str
    gas_used: int
    logs: tuple

    @property
    def ok(self) -> bool:
        return self.code == 0

    def events(self, event: abi.Event) -> list[tuple]:
        """Decoded data of the logs of one event."""
        return [decode(event.data_types, log.data) for log in self.logs if log.topics[0] == event.topic]

    def reverted_with(self, error: abi.Error) -> tuple | None:
        """Arguments of the custom error, or None where it is another outcome."""
        if self.code != 1 or self.data[:4] != error.selector:
            return None
        return decode(error.arguments, self.data[4:])


class SimulatedHub:
    """Votes of every validator whose key is in `validator_keys`; the others are absent from commits."""

    def __init__(self, store=None, genesis=None, validator_keys=(VALIDATOR,)) -> None:
        self.validator_keys = {key.public_key.address: key for key in validator_keys}
        self.absent: set[bytes] = set()
        self.nil: set[bytes] = set()
        """Addresses that do not vote, or vote for no block, in the commits that follow."""
        self.store = MemoryStore() if store is None else store
        self.genesis = hub_genesis() if genesis is None else genesis
        self.ledger = HubLedger(self.store, self.genesis)
        self.nonces: dict[str, int] = {}
        self.salt = 0
        self.time_s = GENESIS_TIME_S
        if self.height == 0:
            self.advance(time_s=GENESIS_TIME_S)
        is_usual = store is None and validator_keys == (VALIDATOR,)
        self._steps: tuple[Hashable, ...] | None = (self.genesis,) if is_usual else None
        """The clients that were made, if nothing else was done since genesis."""

    # --- blocks

    @property
    def height(self) -> int:
        return self.ledger.tip.height

    @property
    def app_hash(self) -> bytes:
        return self.ledger.tip.app_hash

    @property
    def application(self):
        return self.ledger.application

    def view(self):
        return self.application.view()[0]

    def advance(self, *raw: bytes, time_s: int | None = None) -> list[Outcome]:
        """Decide and apply a block. Its time was fixed by the last commit; `time_s` (default + 1) is the next one's."""
        self._steps = None
        block, block_id, commit = self.decide(*raw, time_s=time_s)
        self.ledger.apply(block, block_id, commit)
        return self.outcomes(block.header.height)

    def decide(self, *raw: bytes, time_s: int | None = None, evidence=()) -> tuple[Block, BlockId, Commit]:
        """The next block with its commit, not applied."""
        ledger = self.ledger
        chosen = ledger.application.prepare_proposal(decoded(*raw), 10**7).transactions
        assert chosen[len(chosen) - len(raw) :] == raw
        assert len(chosen) == len(raw) + ledger.application.skips.is_pending()
        block = make_block(ledger.tip, ledger.last_commit(), chosen, ledger.tip.validators.proposer.address, evidence)
        assert ledger.accepts(block)
        self.time_s = self.time_s + 1 if time_s is None else time_s
        block_id = block_id_of(block)
        vote_time_ns = max(self.time_s * NANOSECONDS_PER_SECOND, block.header.time_ns + 1_000_000)
        tally = Tally(dict(self.votes(block.header.height, block_id, vote_time_ns)))
        assert tally.majority(ledger.tip.validators) == block_id
        return block, block_id, tally.commit(ledger.tip.validators, block_id)

    def votes(self, height: int, block_id: BlockId, time_ns: int):
        for index, validator in enumerate(self.ledger.tip.validators.validators):
            key = self.validator_keys.get(validator.address)
            if key is None or validator.address in self.absent:
                continue
            voted = NIL if validator.address in self.nil else block_id
            vote = Vote(SignedMessageType.PRECOMMIT, height, 0, voted, time_ns, index, validator.address)
            digest = sign_digest(KeyType.SECP256K1, vote_bytes(self.genesis.chain_id, vote))
            yield index, replace(vote, signature=key.sign(digest))

    def add_key(self, key) -> None:
        """This validator votes from the height at which it is in the set."""
        self.validator_keys[key.public_key.address] = key

    def outcomes(self, height: int) -> list[Outcome]:
        """Of the transactions that were sent, without the certificate that a block may begin with."""
        transactions = self.ledger.records.block(height).block.transactions
        results = self.ledger.records.results(height).tx_results
        if transactions and is_certificate(transactions[0]):
            results = results[1:]
        receipts = iter(self.application.blocks.receipts(height))
        return [
            Outcome(r.code, r.data, r.log, r.gas_used, () if r.code in (2, 5) else next(receipts).logs) for r in results
        ]

    # --- transactions

    def raw(self, to: bytes | None, data: bytes, account=RELAYER, gas: int = 8_000_000, value: int = 0) -> bytes:
        self._steps = None
        nonce = self.nonces.get(account.address, 0)
        self.nonces[account.address] = nonce + 1
        fields = {
            "chainId": EVM_CHAIN_ID,
            "nonce": nonce,
            "gas": gas,
            "gasPrice": 0,
            "value": value,
            "data": data,
        }
        if to is not None:
            fields["to"] = to_checksum_address(to)
        return bytes(account.sign_transaction(fields).raw_transaction)

    def send(self, to: bytes | None, data: bytes, account=RELAYER, **options) -> Outcome:
        """One transaction in a block of its own."""
        (outcome,) = self.advance(self.raw(to, data, account, **options))
        return outcome

    def call(self, to: bytes, data: bytes, sender: bytes = bytes(20), gas: int = 0):
        state = self.application.state_after(self.application.blocks.head())
        return state.call(CallMessage(sender=sender, to=to, data=data, gas=gas))

    def read(self, to: bytes, function: abi.Function, *values):
        result = self.call(to, function.call(*values))
        assert result.success, result
        answer = decode(function.results, result.return_data)
        return answer[0] if len(answer) == 1 else answer

    # --- admins

    def next_salt(self) -> int:
        self.salt += 1
        return self.salt

    def execute(self, action: bytes, admins=None) -> Outcome:
        """Approve by `admins` (two of three) and execute by the first."""
        admins = ADMINS[:2] if admins is None else admins
        self.approve(action, admins)
        return self.send(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), admins[0])

    def approve(self, action: bytes, admins=ADMINS[:2]) -> None:
        """Each in a block of its own; not executed."""
        hashed = action_hash(self.genesis.chain_id, action)
        for admin in admins:
            assert self.send(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), admin).ok

    def create_client(self, client_type: str, client_state: bytes, consensus_state: bytes) -> str:
        outcome = self.execute(create_client_action(self.next_salt(), client_type, client_state, consensus_state))
        assert outcome.ok, (outcome.log, outcome.data)
        ((client_id,),) = outcome.events(abi.CLIENT_CREATED_EVENT)
        return client_id

    def register(self, client_id: str, counterparty: str, prefix=(b"",)) -> Outcome:
        return self.execute(register_counterparty_action(self.next_salt(), client_id, counterparty, prefix))

    def connect(self, client_type: str, client_state: bytes, consensus_state: bytes, counterparty: str | None) -> str:
        """Create a client and, unless it is None, register its counterparty.

        Where nothing but this was done on this hub since genesis, and the same was done on another, its blocks are taken over
        from there, as by a node that is started on a copy of its store.
        """
        step = (client_type, client_state, consensus_state, counterparty)
        is_usual = self._steps is not None and not (self.absent or self.nil or self.ledger.guard or self.ledger.pruner)
        steps = (*self._steps, step) if is_usual else None
        connected = None if steps is None else CONNECTED.get(steps)
        if connected is None:
            client_id = self.create_client(client_type, client_state, consensus_state)
            assert counterparty is None or self.register(client_id, counterparty).ok
            if steps is not None and len(CONNECTED) < MOST_CONNECTED:
                CONNECTED[steps] = _Connected(
                    client_id, dict(self.store.items()), dict(self.nonces), self.salt, self.time_s
                )
        else:
            client_id = self._take_over(connected)
        self._steps = steps
        return client_id

    def _take_over(self, other: "_Connected") -> str:
        with self.store.batch() as batch:
            for key, _ in list(self.store.items()):
                if key not in other.stored:
                    batch.delete(key)
            for key, value in other.stored.items():
                batch.put(key, value)
        self.ledger = HubLedger(self.store, self.genesis)
        self.nonces, self.salt, self.time_s = dict(other.nonces), other.salt, other.time_s
        return other.client_id

    # --- what clients of the hub read

    def tendermint_header(self, height: int, trusted_height: int) -> TendermintHeader:
        records = self.ledger.records
        stored = records.block(height)
        return TendermintHeader(
            SignedHeader(stored.block.header, records.commit(height)),
            records.validators(height),
            Height(1, trusted_height),
            records.validators(trusted_height + 1),
        )

    def client_state(self, height: int) -> ClientState:
        params = self.genesis.params
        return ClientState(
            self.genesis.chain_id,
            TrustLevel(1, 3),
            params.trusting_period_s * NANOSECONDS_PER_SECOND,
            params.unbonding_period_s * NANOSECONDS_PER_SECOND,
            10 * NANOSECONDS_PER_SECOND,
            Height(0, 0),
            Height(1, height),
            (SMT_SPEC,),
            ("upgrade",),
        )

    def consensus_state(self, height: int) -> ConsensusState:
        header = self.ledger.records.block(height).block.header
        return ConsensusState(header.time_ns, header.app_hash, header.next_validators_hash)


@dataclass(frozen=True)
class _Connected:
    """A hub after a client was made."""

    client_id: str
    stored: dict[bytes, bytes]
    nonces: dict[str, int]
    salt: int
    time_s: int


MOST_CONNECTED = 256
CONNECTED: dict[tuple[Hashable, ...], _Connected] = {}


class RemoteChain:
    """A QBFT, IBFT 2.0 or Istanbul chain whose router the hub has a client of; its own client of the hub is `client-0`."""

    def __init__(
        self, hub: SimulatedHub, *, register: bool = True, salt: int = 0, rules: SealRules | None = None
    ) -> None:
        self.hub = hub
        self.chain = qbft.SimulatedChain(rules=rules)
        self.chain.commit(b"marker-%d" % salt + b"\x01" + bytes(8), b"\x22" * 32)
        # under earlier rules chains may share an id, as they do in the recorded chains
        alone = hub.genesis.rules_version >= rules_versions.BOUNDED_EXECUTION
        self.chain_id = qbft.CHAIN_ID + salt if alone else qbft.CHAIN_ID
        self.own_client = "client-0"
        self.sequence = 0
        self.trusted = self.chain.height
        state, consensus_state = self._states(self.trusted)
        self.client = hub.connect("bft-evm", state, consensus_state, self.own_client if register else None)

    def create_client(self, height: int, **changed) -> str:
        """One more client of this chain on the hub, without a counterparty."""
        return self.hub.create_client("bft-evm", *self._states(height, **changed))

    def _states(self, height: int, **changed) -> tuple[bytes, bytes]:
        state = self.chain.client_state(height, **{"chain_id": self.chain_id} | changed)
        return state, self.chain.consensus_state(height)

    # --- on the remote chain

    def send(self, payload: Payload, timeout_s: int | None = None) -> Packet:
        self.sequence += 1
        timeout_s = self.hub.time_s + 600 if timeout_s is None else timeout_s
        packet = Packet(self.sequence, self.own_client, self.client, timeout_s, (payload,))
        self.chain.commit(commitment_key(packet), packet_commitment(packet))
        return packet

    def send_forward(
        self, next_client: str, timeout_s: int | None = None, value: bytes | None = None, **changed
    ) -> Packet:
        return self.send(forward_payload(next_client, timeout_s or self.hub.time_s + 500, value, **changed))

    def receive(self, packet: Packet, acknowledgement: Acknowledgement) -> None:
        """As a router would: receipt and acknowledgement."""
        self.chain.commit(receipt_key(packet), sha256(b"receipt").digest())
        self.chain.commit(acknowledgement_key(packet), acknowledgement_commitment(acknowledgement))

    def seal(self, time_s: int | None = None) -> int:
        """A block with what was committed, at the hub's time unless told; returns its height."""
        chain = self.chain
        number = chain.height + 1
        state = chain.next_state(number)
        at = max(self.hub.time_s if time_s is None else time_s, chain.headers[chain.height][0].timestamp_s + 1)
        chain.states[number] = state
        chain.headers[number] = chain.propose(number, state, time_s=at)
        return number

    # --- to the hub

    def update_call(self, height: int) -> bytes:
        return abi.UPDATE_CLIENT.call(self.client, self.chain.header(height, self.trusted))

    def update(self) -> int:
        """Seal and bring the hub's client there."""
        height = self.seal()
        outcome = self.hub.send(ROUTER_ADDRESS, self.update_call(height))
        assert outcome.ok, (outcome.log, outcome.data)
        self.trusted = height
        return height

    def receive_call(self, packet: Packet, height: int, proven: Packet | None = None) -> bytes:
        proof = self.chain.proof(height, commitment_key(proven or packet))
        return abi.RECV_PACKET.call((packet_to_tuple(packet), proof, (0, height)))

    def acknowledge_call(self, packet: Packet, app_acknowledgement: bytes, height: int) -> bytes:
        proof = self.chain.proof(height, acknowledgement_key(packet))
        return abi.ACK_PACKET.call((packet_to_tuple(packet), app_acknowledgement, proof, (0, height)))

    def timeout_call(self, packet: Packet, height: int) -> bytes:
        proof = self.chain.proof(height, receipt_key(packet))
        return abi.TIMEOUT_PACKET.call((packet_to_tuple(packet), proof, (0, height)))

    def deliver(self, packet: Packet) -> Outcome:
        """Update and receive."""
        height = self.update()
        return self.hub.send(ROUTER_ADDRESS, self.receive_call(packet, height))

    def answer(self, packet: Packet, app_acknowledgement: bytes = ANSWER) -> Outcome:
        """Receive leg 2 there and bring its acknowledgement to the hub."""
        self.receive(packet, Acknowledgement((app_acknowledgement,)))
        height = self.update()
        return self.hub.send(ROUTER_ADDRESS, self.acknowledge_call(packet, app_acknowledgement, height))

    def misbehaviour_call(self) -> bytes:
        """Two sealed blocks of one height."""
        height = self.chain.height
        first = self.chain.update(height, self.trusted)
        second = self.chain.update(height, self.trusted, self.chain.propose(height, gas_used=1))
        return abi.SUBMIT_MISBEHAVIOUR.call(self.client, self.chain.misbehaviour(first, second))

    def freeze(self) -> None:
        """Prove misbehaviour to the hub."""
        self.seal()
        outcome = self.hub.send(ROUTER_ADDRESS, self.misbehaviour_call())
        assert outcome.events(abi.MISBEHAVIOUR_EVENT), (outcome.log, outcome.data)

    def substitute(self) -> str:
        """A fresh client of the same chain at a new height, unregistered; the harness trusts that height from here."""
        self.trusted = self.seal()
        self.hub.advance(time_s=max(self.hub.time_s, self.chain.now_ns // NANOSECONDS_PER_SECOND))
        return self.create_client(self.trusted)

    def expire(self, packet: Packet) -> Outcome:
        """Let the packet time out there and bring the proof to the hub."""
        self.hub.advance(time_s=packet.timeout_timestamp_s)
        self.hub.advance()
        height = self.update()
        return self.hub.send(ROUTER_ADDRESS, self.timeout_call(packet, height))


def gmp_value(text: bytes = b"hello") -> bytes:
    return encode_gmp(GmpPacketData("0x" + "11" * 20, "0x" + "22" * 20, b"", text, ""))


def forward_payload(next_client: str, timeout_s: int, value: bytes | None = None, **changed) -> Payload:
    request = ForwardRequest(
        next_client, GMP_PORT, GMP_VERSION, ABI_ENCODING, timeout_s, gmp_value() if value is None else value
    )
    payload = Payload(GMP_PORT, FORWARD_PORT, FORWARD_VERSION, ABI_ENCODING, encode_forward_request(request))
    return replace(payload, **changed)


def sent_packet(outcome: Outcome) -> Packet:
    """The packet of the one SendPacket event."""
    ((value,),) = outcome.events(abi.SEND_PACKET_EVENT)
    return packet_from_tuple(value)


def written_acknowledgement(outcome: Outcome) -> tuple[Packet, Acknowledgement]:
    """Packet and acknowledgement of the one WriteAcknowledgement event."""
    ((value, entries),) = outcome.events(abi.WRITE_ACKNOWLEDGEMENT_EVENT)
    return packet_from_tuple(value), Acknowledgement(tuple(entries))


assert abi.SEND_PACKET_EVENT.data_types == [PACKET_TUPLE]
assert secp256k1.public_key_of(VALIDATOR.private_key) == VALIDATOR.public_key.data
