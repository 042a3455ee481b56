"""The vault of the dapp guide: it opens on one chain by a balance of a real token's storage on another."""

from dataclasses import replace

import pytest

from hutong.light_clients.crypto import keccak256
from hutong.light_clients.records import ObservationKey, SlotPlace, SourceTrust, TrustKind
from hutong.light_clients.records.multiproof import Claim
from tests.contracts.evm import SENDER, Evm, Reverted
from tests.contracts.records.reader_lane import SOURCE, ReaderLane

BALANCES_SLOT = 0
"""Where OpenZeppelin's ERC-20 has its mapping, first of its storage layout."""
MINIMUM = 1_000
TREASURE = 77


def balance_slot(holder):
    """Solidity's place of a mapping's member."""
    return keccak256(bytes(12) + holder + BALANCES_SLOT.to_bytes(32, "big"))


class VaultLane:
    """A token on chain A, whose storage the hub observes, and a vault on chain B."""

    def __init__(self, held):
        self.token = Evm().deploy("ExampleToken", "On A", "A", held)
        self.hub = ReaderLane()
        self.treasure = self.hub.evm.deploy("ExampleToken", "On B", "B", TREASURE)
        self.vault = self.hub.evm.deploy(
            "ExampleVault",
            self.hub.reader.address,
            self.treasure.address,
            SOURCE,
            self.token.address,
            BALANCES_SLOT,
            MINIMUM,
        )
        self.treasure.transact("transfer", self.vault.address, TREASURE)
        self.slot = balance_slot(SENDER)
        self.key = ObservationKey.of(SOURCE, SlotPlace(self.token.address, self.slot)).to_bytes()

    def observed(self, **options):
        """What the hub writes of the holder's balance: the word of the token's storage, or absence."""
        word = self.token.evm.storage(self.token.address, int.from_bytes(self.slot, "big"))
        return self.hub.observed(word.to_bytes(32, "big") if word else None, **options)

    def open(self, shown, sender=SENDER):
        (record,) = shown.records
        return self.vault.transact("open", record.value, shown.proof_fields, shown.height_fields, sender=sender)

    def paid(self):
        return self.treasure.call("balanceOf", SENDER)


def refused(call, name):
    with pytest.raises(Reverted) as caught:
        call()
    assert caught.value.name == name, str(caught.value)
    return caught.value.arguments


def test_vault_opens_by_a_balance_on_another_chain():
    lane = VaultLane(held=MINIMUM)
    assert lane.paid() == 0
    lane.open(lane.hub.show({lane.key: lane.observed()}))
    assert lane.paid() == TREASURE


@pytest.mark.parametrize("held", [0, MINIMUM - 1])
def test_vault_stays_shut_by_a_smaller_balance(held):
    lane = VaultLane(held)
    shown = lane.hub.show({lane.key: lane.observed()})
    assert refused(lambda: lane.open(shown), "NotEnough") == (held, MINIMUM)
    assert lane.paid() == 0


def test_vault_stays_shut_for_a_balance_that_nobody_observed():
    lane = VaultLane(held=MINIMUM)
    shown = lane.hub.shown([lane.key], lane.hub.publish())
    assert refused(lambda: lane.open(shown), "NotEnough") == (0, MINIMUM)


def test_attack_J2_contract_balance_of_somebody_else_opens_nothing():
    lane = VaultLane(held=MINIMUM)
    shown = lane.hub.show({lane.key: lane.observed()})
    refused(lambda: lane.open(shown, sender=b"\x99" * 20), "InvalidProof")
    lane.open(shown)
    assert lane.paid() == TREASURE


def test_attack_J1_contract_balance_of_a_minute_ago_opens_nothing():
    lane = VaultLane(held=MINIMUM)
    shown = lane.hub.show({lane.key: lane.observed()})
    with lane.hub.evm.at(lane.hub.now_s + 60):
        refused(lambda: lane.open(shown), "StaleHeader")
    lane.open(shown)


def test_attack_J10_contract_balance_that_is_attested_alone_opens_nothing():
    lane = VaultLane(held=MINIMUM)
    attested = lane.hub.show({lane.key: lane.observed(trust=SourceTrust(TrustKind.ATTESTED, 3, 3))})
    refused(lambda: lane.open(attested), "TrustTooLow")
    lane.open(lane.hub.show({lane.key: lane.observed()}))


def test_attack_J3_contract_balance_made_up_opens_nothing():
    lane = VaultLane(held=MINIMUM - 1)
    shown = lane.hub.show({lane.key: lane.observed()})
    forged = replace(shown, records=(Claim(lane.key, lane.hub.observed(MINIMUM.to_bytes(32, "big"))),))
    refused(lambda: lane.open(forged), "InvalidProof")
    refused(lambda: lane.open(shown), "NotEnough")
