"""The vectors of docs/spec/attestation.md are what the code makes, and the digest is what an EIP-712 signer signs.

python -m tests.light_clients.attestation.test_attestation_spec_page       write them into the page
"""

import json
import re
from pathlib import Path

from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.attestation import (
    AttestationClient,
    AttestationKind,
    Misbehaviour,
    Scope,
    attestation_digest,
    encode_misbehaviour,
    scope_hash,
    sign_digest,
)
from hutong.light_clients.attestation.digest import DOMAIN_SEPARATOR
from hutong.light_clients.interface import Height, MemoryConsensusStates, Updated
from tests.light_clients.attestation.attested_chain import (
    KEY,
    OTHER_KEY,
    VALUE,
    AttestedChain,
    attestor_keys,
)

ROOT = Path(__file__).resolve().parents[3]

PAGE = ROOT / "docs" / "spec" / "attestation.md"
BLOCK = re.compile(r"```json\n(.*?)\n```", re.DOTALL)


def vectors() -> dict:
    chain = AttestedChain()
    chain.put(KEY, VALUE)
    chain.advance()
    client, trusted = chain.client_state(1), chain.consensus_state(1)
    states = MemoryConsensusStates({Height(0, 1): trusted})
    verdict = AttestationClient().verify_header(client, states, chain.update(2), chain.now_ns)
    assert isinstance(verdict, Updated)
    AttestationClient().verify_membership(client, verdict.consensus_state, chain.proof(2, KEY), (KEY,), VALUE)
    AttestationClient().verify_non_membership(client, verdict.consensus_state, chain.proof(2, OTHER_KEY), (OTHER_KEY,))
    evidence = encode_misbehaviour(
        Misbehaviour(
            AttestationKind.PACKETS,
            chain.packet_attestation(2, KEY),
            chain.packet_attestation(2, KEY, lies={KEY: KEY.ljust(32)}),
        )
    )
    frozen = AttestationClient().check_misbehaviour(client, states, evidence, chain.now_ns)
    state_data = chain.state_attestation(2).data
    packet_data = chain.packet_attestation(2, KEY).data
    return {
        "scope": {
            "source_chain_id": chain.scope.source_chain_id,
            "source_router": chain.scope.source_router.hex(),
            "destination_chain_id": chain.scope.destination_chain_id,
            "destination_router": chain.scope.destination_router.hex(),
            "destination_client_id": chain.scope.destination_client_id,
        },
        "private_keys": [key.hex() for key in chain.keys],
        "attestors": [address.hex() for address in chain.client(1).attestors],
        "domain_separator": DOMAIN_SEPARATOR.hex(),
        "scope_hash": scope_hash(chain.scope).hex(),
        "client_state": client.hex(),
        "trusted_consensus_state": trusted.hex(),
        "now_ns": str(chain.now_ns),
        "state_data": state_data.hex(),
        "state_digest": chain.digest(AttestationKind.STATE, state_data).hex(),
        "update": chain.update(2).hex(),
        "new_client_state": verdict.client_state.hex(),
        "path": KEY.hex(),
        "value": VALUE.hex(),
        "packet_data": packet_data.hex(),
        "packet_digest": chain.digest(AttestationKind.PACKETS, packet_data).hex(),
        "membership_proof": chain.proof(2, KEY).hex(),
        "absent_path": OTHER_KEY.hex(),
        "absence_proof": chain.proof(2, OTHER_KEY).hex(),
        "misbehaviour": evidence.hex(),
        "frozen_client_state": frozen.client_state.hex(),
    }


def test_page_holds_the_vectors_that_the_code_makes():
    (block,) = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert json.loads(block) == vectors()


@settings(max_examples=25, deadline=None)
@given(
    texts=st.tuples(st.text("!~az09-", min_size=1, max_size=64), st.text("!~az09-", min_size=1, max_size=64)),
    routers=st.tuples(st.binary(min_size=20, max_size=64), st.binary(min_size=20, max_size=64)).filter(
        lambda routers: all(any(router) for router in routers) and routers[0] != routers[1]
    ),
    kind=st.sampled_from(AttestationKind),
    data=st.binary(max_size=200),
)
def test_digest_and_signature_are_those_of_a_stock_eip_712_signer(texts, routers, kind, data):
    scope = Scope(texts[0], routers[0], texts[1], routers[1], "client-0")
    message = encode_typed_data(
        full_message={
            "types": {
                "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}],
                "Scope": [
                    {"name": "sourceChainId", "type": "string"},
                    {"name": "sourceRouter", "type": "bytes"},
                    {"name": "destinationChainId", "type": "string"},
                    {"name": "destinationRouter", "type": "bytes"},
                    {"name": "destinationClientId", "type": "string"},
                ],
                "Attestation": [
                    {"name": "scope", "type": "Scope"},
                    {"name": "kind", "type": "uint8"},
                    {"name": "data", "type": "bytes"},
                ],
            },
            "primaryType": "Attestation",
            "domain": {"name": "hutong attestation", "version": "1"},
            "message": {
                "scope": {
                    "sourceChainId": scope.source_chain_id,
                    "sourceRouter": scope.source_router,
                    "destinationChainId": scope.destination_chain_id,
                    "destinationRouter": scope.destination_router,
                    "destinationClientId": scope.destination_client_id,
                },
                "kind": int(kind),
                "data": data,
            },
        }
    )
    signed = Account.sign_message(message, attestor_keys(1)[0])
    digest = attestation_digest(scope, kind, data)
    assert signed.message_hash == digest
    assert signed.signature == sign_digest(attestor_keys(1)[0], digest)


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        BLOCK.sub(lambda _: "```json\n" + json.dumps(vectors(), indent=1) + "\n```", text), encoding="utf-8"
    )
