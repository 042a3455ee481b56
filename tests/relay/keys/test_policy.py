"""What a key may sign: each rule from both sides, and what a day may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.adapters.interface import SigningRefused
from hutong.light_clients.attestation import DOMAIN_SEPARATOR, AttestationKind
from hutong.light_clients.crypto import secp256k1
from hutong.relay.config.keys.policy import DocumentWord, PolicyConfig
from hutong.relay.keys.documents import AttestationDocument, DocumentKind, FeedReport, TypedData
from hutong.relay.keys.policy import KeyPolicy
from hutong.relay.keys.spending import DAY_S, Cost, Spending, cost_of
from tests.relay.keys.documents import SCOPE, TO, cosmos_transaction, documents, legacy, transaction

PUBLIC = secp256k1.public_key_of(bytes(31) + b"\x07")
ALL = [str(kind) for kind in DocumentKind]
CONTRACT = "0x" + TO.hex()


def policy(**rules) -> KeyPolicy:
    return KeyPolicy(PolicyConfig.model_validate({"documents": ALL, "value_wei": 5} | rules))


def refused(judge: KeyPolicy, document) -> str:
    with pytest.raises(SigningRefused) as caught:
        judge.check("a key", document)
    return caught.value.reason


def test_the_words_of_the_configuration_are_the_kinds():
    assert list(DocumentWord.__args__) == ALL


@pytest.mark.parametrize("kind", DocumentKind)
def test_attack_G14_only_named_kinds_are_signed(kind):
    every = documents(PUBLIC)
    policy().check("a key", every[kind])
    others = [word for word in ALL if word != kind]
    assert refused(policy(documents=others), every[kind]) == f"policy.documents: no {kind} is signed"


STATE = AttestationDocument(SCOPE, AttestationKind.STATE, b"state")
RULES = {
    "chain": ({"chains": ["31337"]}, transaction(), transaction(chain_id=1), "policy.chains"),
    "legacy chain": ({"chains": ["31337"]}, legacy(), legacy(chain_id=31338), "policy.chains"),
    "cosmos chain": (
        {"chains": ["simd-1"]},
        cosmos_transaction(PUBLIC),
        cosmos_transaction(PUBLIC, "x-1"),
        "policy.chains",
    ),
    "attested chain": ({"chains": ["31337"]}, STATE, transaction(chain_id=2), "policy.chains"),
    "contract": ({"contracts": [CONTRACT]}, transaction(), transaction(to=b"\x23" * 20), "policy.contracts"),
    "selector": (
        {"contracts": [CONTRACT], "selectors": ["0xaabbccdd"]},
        transaction(),
        transaction(data=b"\xaa\xbb\xcc\xde"),
        "policy.selectors",
    ),
    "plain payment": (
        {"contracts": [CONTRACT], "selectors": ["0xaabbccdd"]},
        transaction(),
        transaction(data=b""),
        "policy.selectors",
    ),
    "value": ({"value_wei": 5}, transaction(value_wei=5), transaction(value_wei=6), "policy.value_wei"),
    "creation": ({"creations": True}, transaction(to=None), None, ""),
    "no creation": ({}, transaction(), transaction(to=None), "policy.creations"),
    "message": (
        {"messages": ["/cosmos.bank.v1beta1.MsgSend"]},
        cosmos_transaction(PUBLIC),
        None,
        "",
    ),
    "other message": ({"messages": ["/a.B"]}, transaction(), cosmos_transaction(PUBLIC), "policy.messages"),
    "fee token": ({"fee_per_day": {"atom": 9}}, transaction(), cosmos_transaction(PUBLIC), "policy.fee_per_day"),
    "domain": ({"domains": ["attestations"]}, STATE, FeedReport(bytes(32), 1_700_000_000, 1), "policy.domains"),
    "other domain": (
        {"domains": ["0x" + "01" * 32]},
        TypedData(b"\x01" * 32, bytes(32)),
        TypedData(b"\x02" * 32, bytes(32)),
        "policy.domains",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_attack_G14_each_rule_lets_one_pass_and_names_itself(name):
    rules, good, bad, rule = RULES[name]
    policy(**rules).check("a key", good)
    if bad is not None:
        assert refused(policy(**rules), bad).startswith(rule)


def test_attack_G14_votes_are_of_the_policys_chains():
    every = documents(PUBLIC)
    for kind in (kind for kind in DocumentKind if kind.startswith("consensus-")):
        policy(chains=["hutong-1"]).check("a key", every[kind])
        assert refused(policy(chains=["other-1"]), every[kind]).startswith("policy.chains")


def test_attack_G14_an_attestation_as_typed_data_is_under_its_domain():
    struct = TypedData(DOMAIN_SEPARATOR, bytes(32))
    policy(domains=["attestations"]).check("a key", struct)
    assert "attestations" in refused(policy(domains=["feed-reports"]), struct)


@pytest.mark.parametrize(
    "rules",
    [
        {"documents": []},
        {"documents": ["bytes"]},
        {"selectors": ["0xaabbccdd"]},
        {"contracts": ["0x12"]},
        {"chains": [31337]},
        {"domains": ["anything"]},
        {"messages": ["MsgSend"]},
        {"value_wei": -1},
        {"cost_per_day": 1},
    ],
)
def test_a_malformed_policy_is_refused(rules):
    with pytest.raises(ValueError):
        policy(**rules)
    assert policy().config.cost_per_day_wei is None


def spending(limit: int) -> Spending:
    return Spending.of(PolicyConfig.model_validate({"documents": ALL, "cost_per_day_wei": limit}))


def test_a_day_has_its_limit_and_the_next_one_too():
    each = transaction().most_wei
    day = spending(3 * each)
    for nonce in range(3):
        cost = cost_of(transaction(nonce))
        assert day.forbids(cost, 5) is None
        day.spend(cost, 5)
    assert "cost_per_day_wei" in day.forbids(cost_of(transaction(3)), DAY_S - 1)
    assert day.forbids(cost_of(transaction(3)), DAY_S) is None


def test_attack_G14_a_clock_that_goes_back_gives_no_new_day():
    day = spending(transaction().most_wei)
    day.spend(cost_of(transaction(0)), 5 * DAY_S)
    for time_s in (0, 4 * DAY_S, 5 * DAY_S + 1):
        assert day.forbids(cost_of(transaction(1)), time_s) is not None


def test_a_dearer_copy_takes_the_place_of_the_first():
    cheap, dear = transaction(7), transaction(7, max_fee_per_gas_wei=150)
    day = spending(dear.most_wei)
    day.spend(cost_of(cheap), 1)
    assert day.forbids(cost_of(dear), 1) is None
    day.spend(cost_of(dear), 1)
    assert day.forbids(cost_of(cheap), 1) is None, "its place is paid for"
    assert day.forbids(cost_of(transaction(8)), 1) is not None


def test_a_denomination_called_wei_is_not_the_unit_of_evm_chains():
    rules = {"documents": ALL, "cost_per_day_wei": 0, "fee_per_day": {"stake": 4_000}}
    day = Spending.of(PolicyConfig.model_validate(rules))
    paid = cost_of(cosmos_transaction(PUBLIC))
    assert day.forbids(paid, 1) is None and "cost_per_day_wei" in day.forbids(cost_of(transaction()), 1)
    day.spend(paid, 1)
    day.spend(cost_of(cosmos_transaction(PUBLIC, sequence=4)), 1)
    assert "fee_per_day" in day.forbids(cost_of(cosmos_transaction(PUBLIC, sequence=5)), 1)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50), st.integers(0, 3 * DAY_S)), max_size=40),
    st.integers(0, 120),
)
def test_no_order_of_transactions_passes_the_limit(asked, limit):
    """What can be included of a day's signatures: one a place, the dearest in the worst case."""
    day, signed, newest = spending(limit), {}, -1
    for nonce, amount, time_s in asked:
        cost = Cost(("1", nonce), (("wei", amount),))
        if time_s // DAY_S > newest:  # a day begins with its first question, whatever the answer
            newest, signed = time_s // DAY_S, {}
        if day.forbids(cost, time_s) is None:
            day.spend(cost, time_s)
            signed[nonce] = max(amount, signed.get(nonce, 0))
        assert sum(signed.values()) <= limit
