"""`hutong identity acceptances`: a contract's events read from a node, as the audit of a period counts them."""

from functools import partial
from hashlib import sha256
from random import Random

import pytest
import trio

from hutong.adapters.ics26.transactor import Transactor, creation_address
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.administration.identity.gate_events import SEAL_ACCEPTED
from hutong.relay.keys import Signer
from hutong.relay.services.identity.rules.organisations.gate_acceptances import decode_gate_export
from tests.relay.cli.identity.test_identity_records_commands import Organising
from tests.relay.hub.hub_process import HubProcess, new_home

pytestmark = pytest.mark.long
"""Over the process of a hub, which is a chain like another here."""
ISSUER, OTHER, SEAL = b"\x01" * 32, b"\x02" * 32, b"\x5e" * 32


def emitting(issuer: bytes, words: tuple[int, ...] = (3, 50, 49, 15)) -> bytes:
    """Code that runs at its creation: `SealAccepted`, of the address that is made."""
    data = b"".join(
        b"\x63" + word.to_bytes(4, "big") + b"\x60" + bytes([32 * at]) + b"\x52" for at, word in enumerate(words)
    )
    topics = b"".join(b"\x7f" + topic for topic in (issuer, SEAL, SEAL_ACCEPTED))
    return data + topics + b"\x60\x80\x60\x00\xa3\x00"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acceptances")
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=200, proof_block_delay_ms=50)).start()
    yield Organising(folder, hub, ("anybody",))
    assert hub.stop() == (0, "")


async def made(hub, *codes: bytes) -> list[bytes]:
    """Addresses of contracts that are made of these codes."""
    signer, chain_id = Signer.in_memory(sha256(b"anybody").digest()), int(hub.rpc("eth_chainId"), 16)
    async with open_endpoint(Endpoint(hub.eth_url, chain_id), Random(0)) as execution:
        transactor = Transactor(execution, chain_id, signer)
        first = await transactor.next_nonce()
        for code in codes:
            await transactor.send(None, code)
    return [creation_address(bytes.fromhex(signer.address[2:]), first + at) for at in range(len(codes))]


def test_acceptances_of_one_contract_about_one_issuer_are_exported(place):
    gate, of_another = trio.run(partial(made, place.hub, emitting(ISSUER), emitting(OTHER)))
    chain_id, out = int(place.hub.rpc("eth_chainId"), 16), place.folder / "gate.json"
    asked = ["identity", "acceptances", f"did:hutong:hutong:{ISSUER.hex()}", "--rpc", place.hub.eth_url]
    said = place.run(*asked, "--gate", f"0x{gate.hex()}", "--chain-id", chain_id, "--out", out)
    assert said.startswith("1 acceptances in blocks 0 to ")
    export = decode_gate_export(out.read_bytes())
    (event,) = export.events
    assert (export.chain_id, export.gate, export.issuer) == (chain_id, gate, ISSUER)
    assert (event.seal, event.list_number, event.list_height, event.standing_height) == (SEAL, 3, 50, 49)
    block = place.hub.rpc("eth_getBlockByNumber", hex(event.block), False)
    assert (event.max_age_s, event.time_s) == (15, int(block["timestamp"], 16))
    none = place.folder / "none.json"
    place.run(*asked, "--gate", f"0x{of_another.hex()}", "--chain-id", chain_id, "--out", none)
    assert decode_gate_export(none.read_bytes()).events == ()
    place.run(*asked, "--gate", f"0x{gate.hex()}", "--chain-id", chain_id + 1, "--out", none, code=1)
    until = ["--to", event.block - 1]
    place.run(*asked, "--gate", f"0x{gate.hex()}", "--chain-id", chain_id, "--out", none, *until)
    assert decode_gate_export(none.read_bytes()).events == ()
