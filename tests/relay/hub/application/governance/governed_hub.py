"""A hub that its validators govern: SimulatedHub with operators, and what they send."""

from dataclasses import replace
from hashlib import sha256

from eth_account import Account

from hutong.light_clients.ibc.governance_abi import possession_digest
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.hub.application.genesis import GenesisValidator, HubParams, decode_genesis, encode_genesis
from hutong.relay.hub.application.governance import interface
from hutong.relay.hub.application.module import GOVERNANCE_ADDRESS
from hutong.relay.hub.application.named_code import CodeRules
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.home.home import validator_key
from hutong.relay.hub.home.initialise import NewHub, build_genesis
from tests.relay.hub.simulated_hub import (
    DAPP,
    EVM_CHAIN_ID,
    GENESIS_TIME_S,
    Outcome,
    SimulatedHub,
    address_of,
    code_rules,
)

VOTING_PERIOD_S = 3_600
KEYS = [validator_key(sha256(b"governing validator %d" % number).digest()) for number in range(16)]
OPERATORS = [Account.from_key(sha256(b"operator %d" % number).digest()) for number in range(16)]


def governed_genesis(powers, *, rules_version=rules_versions.NEWEST, code=CodeRules(is_open=True), **params):
    keys = tuple(KEYS[: len(powers)])
    hub = NewHub(
        "hutong-1",
        EVM_CHAIN_ID,
        GENESIS_TIME_S * NANOSECONDS_PER_SECOND,
        None,
        HubParams(**params),
        ((address_of(DAPP), 10**24),),
        rules_version,
        tuple(address_of(account) for account in OPERATORS[: len(powers)]),
        VOTING_PERIOD_S,
        code=code_rules(rules_version, code),
    )
    genesis = build_genesis(hub, keys)
    validators = tuple(GenesisValidator(key.public_key, power) for key, power in zip(keys, powers, strict=True))
    return decode_genesis(encode_genesis(replace(genesis, validators=validators)))


def possession(key, account, chain_id="hutong-1"):
    return key.sign(possession_digest(chain_id, address_of(account), key.public_key.data))


class GovernedHub(SimulatedHub):
    """Validator i has key KEYS[i] and operator OPERATORS[i]; all of KEYS vote for blocks while they are in the set."""

    def __init__(self, powers=(10, 10, 10, 10), *, store=None, genesis=None, **options) -> None:
        genesis = governed_genesis(powers, **options) if genesis is None else genesis
        super().__init__(store=store, genesis=genesis, validator_keys=tuple(KEYS))

    def propose(self, action: bytes, operator: int = 0, title: str = "a proposal") -> Outcome:
        return self.send(GOVERNANCE_ADDRESS, interface.PROPOSE.call(action, title), OPERATORS[operator])

    def vote(self, number: int, operator: int, approve: bool = True) -> Outcome:
        return self.send(GOVERNANCE_ADDRESS, interface.VOTE.call(number, approve), OPERATORS[operator])

    def rotate(self, operator: int, key, proof: bytes | None = None) -> Outcome:
        proof = possession(key, OPERATORS[operator], self.genesis.chain_id) if proof is None else proof
        return self.send(GOVERNANCE_ADDRESS, interface.ROTATE_KEY.call(key.public_key.data, proof), OPERATORS[operator])

    def ask(self, function, *values):
        return self.read(GOVERNANCE_ADDRESS, function, *values)

    @property
    def newest(self) -> int:
        return self.ask(interface.PROPOSAL_COUNT)

    def status(self, number: int) -> int:
        return self.ask(interface.GET_PROPOSAL, number)[0]

    def execute(self, action: bytes, operators=range(16)) -> Outcome:
        """Propose by the first of the operators and let others approve until it is executed."""
        account, *others = [index for index in operators if index < len(self.ask(interface.GET_MEMBERS))]
        outcome = self.propose(action, account)
        assert outcome.ok, (outcome.log, outcome.data)
        number = self.newest
        for index in others:
            if self.status(number):
                break
            outcome = self.vote(number, index)
            assert outcome.ok, (outcome.log, outcome.data)
        return outcome
