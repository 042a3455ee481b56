"""`hutong storage deploy-audit`, against a running dev chain with a reader of a simulated hub's records."""

import json

import pytest

from tests.relay.cli.chains.test_reader_command import deploying, with_hub_client
from tests.relay.cli.chains.test_roles_command import CHAIN_ID, running


@pytest.mark.long
@pytest.mark.trio
async def test_anybody_deploys_an_audit_on_a_reader(tmp_path):
    async with running(tmp_path) as setting:
        router, client_id, client = await with_hub_client(setting)
        code, said, error = await setting.command(*deploying(setting, router, client_id, "--json"))
        assert code == 0, error
        reader = json.loads(said)["reader"]
        chain = ("--rpc", setting.url, "--chain-id", str(CHAIN_ID))
        command = ("storage", "deploy-audit", *chain, *setting.key("stranger"), "--reader")
        code, said, error = await setting.command(*command, reader, "--json")
        assert code == 0, error
        deployed = json.loads(said)
        assert (deployed["reader"], deployed["hub_client"].lower()) == (reader, f"0x{client.hex()}")
        assert len(deployed["audit"]) == 42 and deployed["audit"] != reader
        code, _, error = await setting.command(*command, router)
        assert code == 1, error
        code, _, error = await setting.command(*command, "0x17")
        assert (code, "not an address" in error) == (2, True)
