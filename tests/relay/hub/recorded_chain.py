"""Writes the recorded chain that every later version must replay: `python -m tests.relay.hub.recorded_chain` from the root.

A new record is made only with new rules; a difference without them is a fork.
"""

import base64
import json
from hashlib import sha256
from pathlib import Path

from hutong.light_clients.ibc.packet import ERROR_ACKNOWLEDGEMENT
from hutong.light_clients.tendermint.codec import decode_commit, encode_commit
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import set_quota_action, set_validator_action
from hutong.relay.hub.application.genesis import decode_genesis, encode_genesis
from hutong.relay.hub.application.module import TRANSFER_ADDRESS
from hutong.relay.hub.application.packets.quotas import Load
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.application.transfer import interface
from hutong.relay.hub.chain.ledger import HubLedger
from hutong.relay.hub.consensus.blocks import block_id_of, decode_block, encode_block
from hutong.relay.hub.home.home import validator_key
from tests.relay.hub.application.clients.attested_remote import AttestedRemote
from tests.relay.hub.application.transfer.token_chain import BOB, TokenChain
from tests.relay.hub.hub_process import transfer
from tests.relay.hub.simulated_hub import DAPP, EVM_CHAIN_ID, SimulatedHub, hub_genesis, sent_packet

FILE = Path(__file__).with_name("recorded_chain.json")


def replay(recorded: dict) -> HubLedger:
    """Apply every block to an empty store; each header is checked against what execution gave."""
    ledger = HubLedger(MemoryStore(), decode_genesis(recorded["genesis"].encode()))
    for height, item in enumerate(recorded["blocks"], 1):
        block = decode_block(base64.b64decode(item["block"]))
        commit = decode_commit(base64.b64decode(item["commit"]))
        assert ledger.accepts(block), height
        ledger.apply(block, block_id_of(block), commit)
        assert ledger.tip.app_hash.hex() == item["app_hash"], height
    return ledger


def record_chain() -> SimulatedHub:
    """A chain with everything in it: admins, three routes, messages and tokens settled, refused and undone, an EVM transfer,
    and a validator that joins, changes its power and leaves."""
    hub = SimulatedHub(genesis=hub_genesis(rules_version=rules_versions.FIRST))
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_forward(chain_b.client)))
    assert chain_b.answer(leg_2).ok
    assert chain_a.deliver(chain_a.send_forward("bft-evm-9")).ok
    assert chain_b.take(sent_packet(chain_a.deliver(chain_a.send_transfer(100, chain_b.client)))).ok
    on_b = chain_b.voucher_here(chain_a.on_hub())
    assert chain_a.take(sent_packet(chain_b.deliver(chain_b.send_transfer(70, chain_a.client, denom=on_b)))).ok
    undone = sent_packet(chain_a.deliver(chain_a.send_transfer(5, chain_b.client)))
    assert chain_b.answer(undone, ERROR_ACKNOWLEDGEMENT).ok
    assert chain_a.deliver(chain_a.send_transfer(9, receiver=DAPP.address.lower())).ok
    call = interface.SEND_TRANSFER.call(chain_b.client, chain_a.on_hub().path, 4, BOB, hub.time_s + 500, "memo")
    assert hub.send(TRANSFER_ADDRESS, call, DAPP).ok
    assert hub.execute(set_quota_action(hub.next_salt(), chain_b.client, Load(1, 1_000))).ok
    assert chain_a.deliver(chain_a.send_transfer(1, chain_b.client)).events(abi.WRITE_ACKNOWLEDGEMENT_EVENT)
    attested = AttestedRemote(hub)
    assert sent_packet(attested.deliver(attested.send_forward(chain_a.client)))
    joining = validator_key(sha256(b"a validator that joins and leaves").digest())
    hub.add_key(joining)
    for power in (4, 3, 0):
        assert hub.execute(set_validator_action(hub.next_salt(), joining.public_key.data, power)).ok
    hub.advance(bytes.fromhex(transfer(0, EVM_CHAIN_ID)[2:]))
    hub.advance()
    return hub


def main() -> None:
    hub = record_chain()
    records = hub.ledger.records
    blocks = [
        {
            "block": base64.b64encode(encode_block(records.block(height).block)).decode(),
            "commit": base64.b64encode(encode_commit(records.commit(height))).decode(),
            "app_hash": records.results(height).app_hash.hex(),
        }
        for height in range(1, hub.height + 1)
    ]
    FILE.write_text(json.dumps({"genesis": encode_genesis(hub.genesis).decode(), "blocks": blocks}, indent=1) + "\n")


if __name__ == "__main__":
    main()
