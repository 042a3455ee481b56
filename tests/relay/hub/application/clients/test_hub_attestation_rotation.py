"""Rotation of attestors through the hub's `updateClient`: packets in flight are proven by either set within the window."""

from hutong.light_clients.attestation import (
    AttestationKind,
    DigestForm,
    Rotation,
    StateAttestation,
    decode_client_state,
    encode_rotation,
    encode_rotation_update,
)
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS, ROUTER_ADDRESS
from tests.light_clients.attestation.attested_chain import address_of, attestor_keys
from tests.relay.hub.application.clients.attested_remote import AttestedRemote
from tests.relay.hub.application.packets.test_hub_packet_attacks import refused
from tests.relay.hub.simulated_hub import RemoteChain

NEW = attestor_keys(3, first=20)


def rotation(remote: AttestedRemote, height: int, overlap: int, number: int = 1) -> bytes:
    state = StateAttestation(height, remote.chain.times_s[height])
    until = height + overlap if overlap else 0
    data = encode_rotation(Rotation(state, number, tuple(map(address_of, NEW)), 2, until))
    return encode_rotation_update(remote.chain.attest(AttestationKind.ROTATION, data))


def client_state(hub, remote):
    return decode_client_state(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATE, remote.client))


def test_attack_D3_hub_previous_attestors_within_the_window_and_after_it(hub):
    chain_b = RemoteChain(hub, salt=1)
    remote = AttestedRemote(hub)
    old = remote.chain.keys[:2]
    first, second = (remote.send_forward(chain_b.client) for _ in range(2))
    height = remote.update()
    outcome = hub.send(ROUTER_ADDRESS, remote.update_call(height, rotation(remote, height, overlap=50)))
    assert outcome.events(abi.CLIENT_UPDATED_EVENT) == [(remote.client, 0)], (outcome.log, outcome.data)
    assert client_state(hub, remote).attestors == tuple(map(address_of, NEW))
    assert hub.send(ROUTER_ADDRESS, remote.receive_call(first, height)).ok, "signed by the previous set"

    remote.chain.advance(51)
    after = remote.chain.height
    hub.advance(time_s=max(hub.time_s, remote.chain.now_ns // 10**9))
    refused(hub, remote.update_call(after, remote.chain.update(after, keys=old)), abi.VERIFICATION_FAILED)
    assert hub.send(ROUTER_ADDRESS, remote.update_call(after, remote.chain.update(after, keys=NEW[:2]))).ok
    assert client_state(hub, remote).previous is None
    refused(hub, remote.receive_call(second, height), abi.VERIFICATION_FAILED)
    remote.chain.keys = NEW
    assert hub.send(ROUTER_ADDRESS, remote.receive_call(second, height)).ok, "signed by the new set"


def test_attack_D3_hub_rotation_by_strangers_or_again(hub):
    remote = AttestedRemote(hub)
    height = remote.update()
    honest = rotation(remote, height, overlap=0)
    remote.chain.keys, own = attestor_keys(3, first=40), remote.chain.keys
    refused(hub, remote.update_call(height, rotation(remote, height, overlap=0)), abi.VERIFICATION_FAILED)
    remote.chain.keys = own
    assert hub.send(ROUTER_ADDRESS, remote.update_call(height, honest)).ok
    refused(hub, remote.update_call(height, honest), abi.VERIFICATION_FAILED)


def test_attack_D5_hub_client_of_the_public_digest_is_created_only_by_that_name(hub):
    scoped = AttestedRemote(hub)
    assert client_state(hub, scoped).digest_form is DigestForm.SCOPED
    opted_in = AttestedRemote(hub, number=1, register=False)
    height = opted_in.chain.height
    hub.advance()
    scope = opted_in.chain.scope
    opted_in.chain.scope = type(scope)(
        scope.source_chain_id,
        scope.source_router,
        scope.destination_chain_id,
        scope.destination_router,
        "attestation-2",
    )
    client = opted_in.create(digest_form=DigestForm.PUBLIC)
    assert client == "attestation-2"
    state = decode_client_state(hub.read(CLIENT_MANAGER_ADDRESS, abi.GET_CLIENT_STATE, client))
    assert (state.digest_form, state.latest_height) == (DigestForm.PUBLIC, height)
