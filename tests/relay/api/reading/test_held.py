"""What chains keep of a message for its owner: `held` and `why` of the API, and where a chain does not say it."""

from datetime import UTC, datetime

import httpx
import pytest

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.relay.sdk import TrioHutong
from tests.adapters.evm.test_evm_devnet import evm_setting
from tests.relay.api.api_world import api_under_trio, config_of, simulated_adapters
from tests.relay.api.test_sending import away
from tests.relay.cli.chains.test_transfer_held import HUB_CLIENT, OWNER, World

LIMIT_S = 300


@pytest.mark.long
async def test_what_a_delay_holds_is_in_the_answer_of_the_message(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSWORD", "correct horse")
    async with evm_setting() as setting:
        world = World(setting, tmp_path)
        token = await world.receive(1, 7, 600)
        await world.receive(2, 5, 600)
        await world.receive(3, 9, 600)
        config = config_of(tmp_path / "state")
        router = setting.chain.settings.router
        known = tuple(
            one.model_copy(update={"router": router}) if one.name == "alpha" else one for one in config.chains
        )
        adapters = {**simulated_adapters(), "alpha": setting.chain}
        async with api_under_trio(config.model_copy(update={"chains": known}), adapters) as (url, _):
            async with TrioHutong(url) as hutong:
                message = await hutong.message(f"hub/{HUB_CLIENT}/1")
                (held,) = message.held
                assert (held.kind, held.chain, held.transfer, held.client, held.sequence) == (
                    "receive", "alpha", world.transfer, world.client, 1,
                )  # fmt: skip
                assert (held.token, held.owner, held.amount) == (token, OWNER, 7)
                assert held.releasable_at > datetime.now(UTC)
                said = f"7 of {token} for {OWNER} is held on alpha until {held.releasable_at:%Y-%m-%dT%H:%M:%SZ}"
                assert said in message.why.waits_for and message.why.do.startswith(
                    "release it then with: hutong transfer"
                )
                assert await hutong.why(f"hub/{HUB_CLIENT}/1") == message.why
                paid = await hutong.message(f"hub/{HUB_CLIENT}/2")
                assert paid.held == () and paid.why.do == "nothing to do"
            monkeypatch.setattr(ExecutionRpc, "call", away)
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_S) as http:
                answer = (await http.get(f"/v1/messages/hub/{HUB_CLIENT}/3")).json()
                assert answer["held"] is None and answer["why"]["do"] == "nothing to do"
