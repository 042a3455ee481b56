"""Keys of SM2 in DIDs: from rules version 6 on, for files alone; before it refused in the words that headers have hashed."""

import pytest

from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.abci.machine import HubMachine
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import schedule_rules_action
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyPurpose,
    KeyState,
    PublicKey,
    decode_key_record,
)
from tests.relay.hub.abci.abci_client import init_chain, serving
from tests.relay.hub.abci.test_abci_replay import play
from tests.relay.hub.application.identity.organisations import (
    Organisation,
    accredited_by,
    held,
    key_struct,
    named,
    public_key,
    refused_by_rule,
    root_of,
)
from tests.relay.hub.application.identity.test_identity_module import replayed
from tests.relay.hub.simulated_hub import SimulatedHub, hub_genesis
from tests.relay.services.identity.rules.records.sample_records import P256, SM2, SM2_SMALL

SIGNING, SEAL = KeyPurpose.SIGNING, KeyPurpose.SEAL


def add(issuer, key: PublicKey, purposes: KeyPurpose):
    return issuer.decide(interface.ADD_KEY, key_struct(key, purposes))


def recorded(issuer, key: PublicKey):
    return decode_key_record(issuer.raw(keys.key_key(issuer.did, thumbprint(key))))


@pytest.fixture
def issuer():
    return accredited_by(root_of(SimulatedHub()), "issuer")


def test_an_organisation_has_keys_of_SM2_and_ends_them_as_others(issuer):
    assert add(issuer, SM2, SIGNING).ok and add(issuer, SM2_SMALL, SEAL).ok
    found = recorded(issuer, SM2)
    assert (found.key, found.account, found.use.purposes) == (SM2, bytes(20), SIGNING)
    assert issuer.record().counts.active_keys == 4
    assert add(issuer, SM2, SIGNING).reverted_with(interface.KEY_EXISTS) is not None
    following = key_struct(public_key(named("next")), SIGNING)
    assert issuer.decide(interface.ROTATE_KEY, thumbprint(SM2), following).ok
    assert recorded(issuer, SM2).end.state is KeyState.RETIRED
    added_s = recorded(issuer, SM2_SMALL).added.time_s
    assert issuer.decide(interface.COMPROMISE_KEY, thumbprint(SM2_SMALL), added_s).ok
    assert recorded(issuer, SM2_SMALL).end.state is KeyState.COMPROMISED
    registered = Organisation(issuer.hub, "by SM2 alone")
    registered.first_keys = lambda: [key_struct(SM2, SIGNING)]
    assert registered.register().ok and recorded(registered, SM2).key == SM2


@pytest.mark.parametrize(
    "wrong",
    [
        PublicKey(KeyAlgorithm.SM2, SM2.x, SM2.x),
        PublicKey(KeyAlgorithm.SM2, P256.x, P256.y),
        PublicKey(KeyAlgorithm.ES256, SM2.x, SM2.y),
        PublicKey(KeyAlgorithm.SM2, bytes(32), bytes(32)),
    ],
    ids=["off the curve", "of P-256", "as P-256", "zero"],
)
def test_attack_N44_a_key_of_SM2_is_a_point_of_its_curve(issuer, wrong):
    before = held(issuer.hub)
    assert refused_by_rule(add(issuer, wrong, SIGNING)) == "key_is_on_its_curve"
    assert held(issuer.hub) == before
    assert add(issuer, SM2, SIGNING).ok


def test_attack_N44_a_key_of_SM2_is_for_files_alone_and_for_one_thing(issuer):
    """It has no account, EIP-712 and JOSE do not know it, and what signs is not what others seal to."""
    before = held(issuer.hub)
    for purposes in (KeyPurpose.LOG, KeyPurpose.CONTRACT, KeyPurpose.PRESENTATION, SIGNING | SEAL):
        assert refused_by_rule(add(issuer, SM2, purposes)) == "key.purposes"
    assert held(issuer.hub) == before
    assert add(issuer, SM2, SIGNING).ok and add(issuer, SM2_SMALL, SEAL).ok


def test_attack_N44_no_list_of_credentials_is_bound_to_a_key_of_SM2(issuer):
    assert add(issuer, SM2, SIGNING).ok
    before = held(issuer.hub)

    def open_list(print_of):
        return issuer.write(interface.OPEN_LIST, print_of, bytes(32), b"\x44" * 32, 1, 1_024)

    assert refused_by_rule(open_list(thumbprint(SM2))) == "key_of_list_signs_credentials"
    assert held(issuer.hub) == before
    assert open_list(thumbprint(public_key(issuer.issuing))).ok


def taking_up() -> tuple[SimulatedHub, list]:
    """A hub that began with version 5 and took up version 6, and what became of a key of SM2 before and since."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.IDENTITY))
    organisation = root_of(hub)
    at = hub.height + 4 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), rules_versions.SM2_KEYS, at)).ok
    outcomes = [add(organisation, SM2, SIGNING)]
    while hub.height < at - 1:
        hub.advance()
    return hub, [*outcomes, add(organisation, SM2, SIGNING)]


async def test_attack_N44_running_hubs_take_keys_of_SM2_at_a_height_and_old_blocks_replay():
    """By both engines, to equal hashes: what version 5 answers is as it was, to the byte."""
    hub, (before, since) = taking_up()
    assert since.ok
    assert before.reverted_with(abi.VERIFICATION_FAILED) == (
        "key.algorithm",
        "malformed key.algorithm: 1 ES256, 2 ES256K, 3 EdDSA, 4 X25519, got 5",
    )
    assert replayed(hub).tip == hub.ledger.tip and hub.ledger.tip.app_version == rules_versions.SM2_KEYS
    machine = HubMachine(MemoryStore(), hub.genesis)
    async with serving(machine) as application:
        consensus = await application.connect()
        asked = init_chain(hub.genesis)
        answer = await consensus.call("init_chain", **{field.name: value for field, value in asked.ListFields()})
        app_hash = answer.app_hash
        for height in range(1, hub.height + 1):
            block = hub.ledger.records.block(height).block
            assert block.header.app_hash == app_hash
            app_hash = (await play(consensus, block)).app_hash
    assert app_hash == hub.app_hash
