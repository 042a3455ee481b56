"""What anybody may ask of an operator without a token is there for everybody: one client has one turn at a time."""

import httpx
import pytest
from prometheus_client import CollectorRegistry

from hutong.relay.services.storage.operator.app import Doors, OperatorApp, OperatorStatus
from hutong.relay.services.storage.operator.desk import Bounds
from hutong.relay.web.rate_limit import client_of
from tests.relay.services.storage.operator.running import running
from tests.relay.services.storage.operator.test_operator_parts import EPOCH, JudgingHub, begin_epoch, code_of, filled

pytestmark = pytest.mark.trio
BY_PROXY = "x-forwarded-for"
ONE, OTHER = "192.0.2.1", "192.0.2.2"


@pytest.mark.parametrize(
    ("is_behind_proxy", "stranger", "auditor"),
    [
        (False, (ONE, None), (OTHER, None)),
        (False, ("2001:db8::1", None), ("2001:db8:0:1::1", None)),
        (False, (ONE, OTHER), (OTHER, ONE)),
        (True, ("10.0.0.1", f"{OTHER}, {ONE}"), ("10.0.0.1", OTHER)),
        (True, (ONE, None), (OTHER, None)),
    ],
)
async def test_attack_S46_a_stranger_that_asks_without_end_keeps_no_auditor_out(
    tmp_path, is_behind_proxy, stranger, auditor
):
    """The stranger's first request has its turn: its next ones are busy, also in other words, and the auditor's are answered."""
    hub = JudgingHub()
    async with running(tmp_path, hub=hub, bounds=Bounds(wait_s=0)) as operator:
        await filled(operator)
        begin_epoch(hub)

        async def status() -> OperatorStatus:
            return OperatorStatus({}, None)

        doors = Doors(operator.desk, operator.answering, status, CollectorRegistry(), False, is_behind_proxy)
        app = OperatorApp(doors)

        async def ask(who, path) -> httpx.Response:
            address, said = who
            transport = httpx.ASGITransport(app, client=(address, 40_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://operator") as client:
                return await client.get(path, headers={} if said is None else {BY_PROXY: said})

        paths = ("/v1/log", f"/v1/answers/{EPOCH}?first=0&count=40")
        async with operator.desk.showing(client_of(ONE if "." in stranger[0] else "2001:db8::9")):
            for path in paths:
                assert code_of(await ask(stranger, path)) == "busy"
                assert (await ask(auditor, path)).status_code == 200
        assert (await ask(stranger, paths[0])).status_code == 200
