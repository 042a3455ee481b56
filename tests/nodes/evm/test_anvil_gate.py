"""A contract on anvil accepts a credential of a hub with four validators: what it costs there, with P-256 and its precompile too."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import (
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.list_record import encode_list_record
from hutong.relay.services.identity.rules.seals import seal_digest
from hutong.relay.services.identity.rules.seals.signatures import low_s_p256
from tests.contracts.evm import GAS, INTRINSIC_GAS, Reverted
from tests.contracts.identity.gate_lane import (
    AT,
    INDEX,
    ISSUER,
    MAX_AGE_S,
    QUERY,
    SEAL,
    GateLane,
    Shown,
    list_record,
)
from tests.contracts.identity.test_identity_gas import COLD_BOUND, WARM_BOUND, accept_call
from tests.contracts.lane import LOCAL_CLIENT, Lane, now_s
from tests.light_clients.tendermint.simulated_chain import SimulatedChain, signers
from tests.nodes.evm.anvil import AnvilEvm

pytestmark = pytest.mark.nodes

P256_BOUNDS = {"paris": 500_000, "osaka": 140_000}


def gas_of(world, address, data):
    """Of the transaction, as the node's receipt says."""
    total = GAS + INTRINSIC_GAS + sum(16 if byte else 4 for byte in data)
    return total - world.evm.send(address, data).get_gas_remaining()


def caught_up(world):
    """The hub's newest height, once it has made a block for each second of the node's."""
    return world.lane.advance(max(2, world.evm.timestamp_s - now_s(world.lane.chain) + 1))


def p256_shown(world):
    """A seal by an ES256 key, whose list is synchronised."""
    secret = ec.derive_private_key(5, ec.SECP256R1())
    point = secret.public_key().public_numbers()
    key = PublicKey(KeyAlgorithm.ES256, *(one.to_bytes(32, "big") for one in (point.x, point.y)))
    print_of = thumbprint(key)
    record = KeyRecord(key, bytes(20), KeyUse(KeyPurpose.SIGNING, 1), KeyEnd(), 1, AT)
    records = {
        keys.key_key(ISSUER, print_of): encode_key_record(record),
        keys.list_key(ISSUER, 0): encode_list_record(list_record(print_of=print_of)),
    }
    caught_up(world)
    assert world.sync(records, replace(QUERY, thumbprint=print_of)) == 0
    r, s = decode_dss_signature(secret.sign(seal_digest(SEAL), ec.ECDSA(Prehashed(SHA256()))))
    return {"seal_print": print_of, "signature": low_s_p256(r, s)}


@pytest.mark.parametrize("fork", ["paris", "osaka"])
def test_a_credential_of_the_hub_is_accepted_on_anvil(fork):
    chain = SimulatedChain(chain_id="hutong-1", members=dict.fromkeys(signers(4), 10))
    evm = AnvilEvm(fork, now_s(chain))
    try:
        world = GateLane(Lane(chain=chain, evm=evm))
        bare, p256 = (evm.deploy(name, world.cache.address, MAX_AGE_S) for name in ("BareGate", "BareGateP256"))
        height = caught_up(world)
        update = world.lane.router.calldata("updateClient", LOCAL_CLIENT, world.lane.update_message(height))
        update_gas = gas_of(world, world.lane.router.address, update)
        world.lane.trusted = height
        sync_gas = gas_of(world, world.cache.address, world.sync_call(height)[0])
        accept_gas = gas_of(world, bare.address, accept_call(world, bare))
        world.mint(keep=True)
        with pytest.raises(Reverted, match="NonceUsed"):
            world.mint()
        caught_up(world)
        world.sync({keys.list_key(ISSUER, 0): encode_list_record(list_record(revoked=(INDEX,)))})
        with pytest.raises(Reverted, match="CredentialRevoked"):
            world.mint(Shown(nonce=8, revoked=(INDEX,)))
        p256_gas = gas_of(world, p256.address, accept_call(world, p256, **p256_shown(world)))
        print(f"\n{fork}: update {update_gas}, sync {sync_gas}, accept {accept_gas}, accept by ES256 {p256_gas}")
        assert update_gas + sync_gas <= COLD_BOUND
        assert accept_gas <= WARM_BOUND
        assert p256_gas <= P256_BOUNDS[fork]
    finally:
        evm.close()
