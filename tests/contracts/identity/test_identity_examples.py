"""The example applications: a ticket for adults, and medicine on prescription by licensed pharmacists."""

from dataclasses import replace

import pytest

from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, encode_accreditation_record
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from hutong.relay.services.identity.rules.seals import SEAL_TUPLE, gated_call_hash, seal_digest
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE
from tests.contracts.evm import SENDER, Reverted
from tests.contracts.identity.gate_lane import (
    INDEX,
    ISSUER,
    LICENCE,
    MAX_AGE_S,
    QUERY,
    SCHEMA,
    SEAL,
    THIEF,
    Shown,
    account_of,
    accreditation,
    list_record,
    ready,
)

OTHER_PHARMACY = b"\x66" * 20
MEDICINE = ("refills", "medicine")


class Pharmacy:
    """Licences are in the issuer's list 1, prescriptions in its list 0. A patient and two pharmacists."""

    def __init__(self):
        self.world = ready()
        root = encode_accreditation_record(accreditation(GOVERNANCE, 0))
        lists = {keys.list_key(ISSUER, 1): encode_list_record(list_record(schema=LICENCE))}
        query = replace(QUERY, schema=LICENCE, lists=(1,))
        assert self.world.sync(lists | {keys.accreditation_key(ISSUER, LICENCE): root}, query) == 0
        self.world.sync()
        evm = self.world.evm
        self.contract = evm.deploy("ExamplePharmacy", self.world.cache.address, MAX_AGE_S, LICENCE, SCHEMA)
        self.licence = replace(SEAL, schema=LICENCE, list_number=1, index=9, holder=account_of(THIEF))

    def dispense(self, nonce, prescription=SEAL, pharmacist=SENDER, names=MEDICINE, licence=None):
        licence = licence or self.licence
        selector = self.contract.selector("dispense", 2)
        address = self.contract.address

        def acceptance(shown, other):
            hashed = gated_call_hash(selector, encode_abi((SEAL_TUPLE,), [other.members()]))
            return tuple(self.world.acceptance(shown, hashed, address, pharmacist))

        of_pharmacist = Shown(seal=licence, names=(), nonce=nonce, holder=THIEF)
        of_patient = Shown(seal=prescription, names=names, nonce=nonce)
        values = (acceptance(of_pharmacist, prescription), acceptance(of_patient, licence))
        data = selector + encode_abi((ACCEPTANCE_TUPLE, ACCEPTANCE_TUPLE), values)
        return self.world.evm.send(address, data, sender=pharmacist)

    def refused(self, error, *said, **more):
        with pytest.raises(Reverted) as caught:
            self.dispense(*said, **more)
        assert caught.value.name == error
        return caught.value.arguments


def test_attack_N81_a_prescription_has_its_refills_whichever_pharmacies_ask():
    """Two refills, three pharmacies at once: the third finds nothing, and another prescription is not touched."""
    pharmacy = Pharmacy()
    digest = seal_digest(SEAL)
    pharmacy.dispense(1)
    pharmacy.refused("NonceUsed", 1)
    pharmacy.dispense(2, pharmacist=OTHER_PHARMACY)
    assert pharmacy.contract.call("dispensed", digest) == 2
    for nonce, pharmacist in ((3, SENDER), (4, OTHER_PHARMACY)):
        assert pharmacy.refused("NoRefillLeft", nonce, pharmacist=pharmacist) == (digest, 2)
    assert pharmacy.contract.call("dispensed", digest) == 2
    pharmacy.dispense(5, replace(SEAL, index=INDEX + 1))


def test_attack_N81_a_licence_is_no_prescription_and_the_claims_are_those_asked_for():
    pharmacy = Pharmacy()
    pharmacy.dispense(1)
    pharmacy.refused("OtherSchema", 2, replace(SEAL, schema=LICENCE))
    pharmacy.refused("OtherSchema", 2, licence=replace(pharmacy.licence, schema=SCHEMA))
    pharmacy.refused("OtherClaim", 2, names=("medicine", "refills"))
    pharmacy.refused("OtherClaim", 2, names=("refills", "age_over_18"))
    pharmacy.refused("OtherClaim", 2, names=("refills",))
    pharmacy.dispense(2)


def test_attack_N81_a_ticket_is_for_who_the_holder_says_and_once():
    world = ready()
    with pytest.raises(Reverted, match="HolderNotSigned"):
        data = world.mint_call(to=SENDER).replace(bytes(12) + SENDER, bytes(12) + OTHER_PHARMACY)
        world.evm.send(world.gate.address, data, keep=False)
    world.mint(Shown(nonce=1), to=OTHER_PHARMACY, keep=True)
    assert world.gate.call("balanceOf", OTHER_PHARMACY) == 1
    with pytest.raises(Reverted, match="AlreadyMinted"):
        world.mint(Shown(nonce=2))
    world.mint(Shown(seal=replace(SEAL, index=INDEX + 1), nonce=3))
