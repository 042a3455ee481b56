"""Dead letters over HTTP, on a real queue and a real ledger: the command and the API do the same."""

import httpx

from hutong.relay.core.history.letters import Letters
from hutong.relay.core.topology.paths import Paths
from hutong.relay.dispatch import Connection, Queue, QueueLimits, Route
from hutong.relay.ledger import Ledger
from tests.relay.api.api_world import CLIENT, api_under_trio, config_of
from tests.relay.api.test_front import keys_in
from tests.relay.relay_values import job as queued


async def test_parity_row_37_a_letter_is_left_alone_and_retried_over_http(tmp_path, valkey):
    file = tmp_path / "api-keys.json"
    admin = {"authorization": f"Bearer {keys_in(file, admin=['admin'])['admin']}"}
    config = config_of(tmp_path, keys_file=str(file))
    paths = Paths.of(config.paths)
    connection = Connection(valkey.url, seed=1)
    queue = Queue(connection, "api", lambda: 1_000, limits=QueueLimits(max_attempts=1))
    route = Route("alpha", "beta", CLIENT)
    assert route in paths.routes()
    await queue.open(route)
    jobs = [_job(number) for number in (1, 2, 3)]
    await queue.enqueue(jobs)
    for item in await queue.take(route, 3):
        await queue.retry(route, item, "no", cause="would_fail")
    async with api_under_trio(config, letters=Letters(queue, paths, config.relay)) as (url, _):
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
            path = f"/v1/dead-letters/receive/alpha/{CLIENT}/1/ignore"
            said = await http.post(path, json={"reason": "abandoned"}, headers=admin)
            assert said.json() == {"job": jobs[0].id, "ignored": True}
            assert [letter.id for letter in await queue.ignored(route)] == [jobs[0].id]
            ledger = Ledger.open_file(config.relay.home / "ledger.sqlite")
            assert await ledger.ignored() == {jobs[0].id: "abandoned"}
            ledger.close()
            said = await http.post("/v1/dead-letters/retry", json={"cause": "would_fail"}, headers=admin)
            assert said.json() == {"retried": 2} and await queue.dead_letters(route) == []
            unknown = await http.post("/v1/dead-letters/retry", json={"route": "beta:client-99"}, headers=admin)
            assert unknown.status_code == 422 and "no route is named" in unknown.json()["detail"]
            assert (await http.delete(path, headers=admin)).json()["ignored"] is False
            assert await queue.ignored(route) == []
    connection.close()


def _job(number):
    from dataclasses import replace

    known = queued(number)
    packet = replace(known.packet, source_client=CLIENT, destination_client=CLIENT)
    return replace(known, source="alpha", destination="beta", packet=packet)
