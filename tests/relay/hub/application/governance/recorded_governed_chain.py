"""Writes the recorded chain that its validators govern: `python -m tests.relay.hub.application.governance.recorded_governed_chain` from the root.

As with `recorded_chain`, a new record is made only with new rules; a difference without them is a fork.
"""

import base64
import json
from pathlib import Path

from hutong.light_clients.tendermint.codec import encode_commit
from hutong.relay.hub.application.admin import (
    admit_validator_action,
    recover_client_action,
    schedule_rules_action,
    set_parameter_action,
    set_paused_action,
    set_quota_action,
    set_validator_action,
)
from hutong.relay.hub.application.genesis import encode_genesis
from hutong.relay.hub.application.governance.schedule import NOTICE_BLOCKS
from hutong.relay.hub.application.packets.quotas import Load
from hutong.relay.hub.consensus.blocks import encode_block
from tests.relay.hub.application.governance.governed_hub import KEYS, OPERATORS, GovernedHub, possession
from tests.relay.hub.application.governance.test_hub_next_revision import at_its_end
from tests.relay.hub.application.transfer.token_chain import TokenChain
from tests.relay.hub.recorded_chain import replay
from tests.relay.hub.simulated_hub import address_of, sent_packet

__all__ = ["FILE", "record_chain", "replay"]

FILE = Path(__file__).with_name("recorded_governed_chain.json")


def record_chain() -> GovernedHub:
    """From rules version 1 to 2 and to the end of the revision: every kind of action, a swapped key, a pause under both rules."""
    hub = GovernedHub((10, 10, 10), rules_version=1)
    chain_a, chain_b = TokenChain(hub, salt=1), TokenChain(hub, salt=2)
    leg_2 = sent_packet(chain_a.deliver(chain_a.send_transfer(100, chain_b.client)))
    proof = possession(KEYS[4], OPERATORS[4])
    admitted = admit_validator_action(hub.next_salt(), KEYS[4].public_key.data, 9, address_of(OPERATORS[4]), proof)
    assert hub.execute(admitted, range(3)).ok
    assert hub.rotate(0, KEYS[5]).ok
    assert hub.execute(set_quota_action(hub.next_salt(), chain_b.client, Load(9, 9_000)), range(3)).ok
    assert hub.execute(recover_client_action(hub.next_salt(), chain_a.client, chain_b.client), range(3)).ok
    assert hub.execute(set_parameter_action(hub.next_salt(), "voting_period_s", 7_200), range(3)).ok
    assert hub.execute(set_paused_action(hub.next_salt(), True), range(3)).ok
    height = hub.height + 3 + NOTICE_BLOCKS
    assert hub.execute(schedule_rules_action(hub.next_salt(), 2, height), range(3)).ok
    assert not chain_b.take(leg_2).ok
    while hub.height < height:
        hub.advance()
    assert chain_b.take(leg_2).ok
    assert hub.execute(set_validator_action(hub.next_salt(), KEYS[4].public_key.data, 0), range(3)).ok
    at_its_end(hub)
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
