"""A short run of `python -m tests.relay.keys.mutate`, and that it notices what is wrong."""

from tests.relay.keys import mutate
from tests.relay.keys.documents import legacy, transaction


async def test_attack_G2_changed_documents_lines_and_requests_are_refused_or_what_they_say():
    found = await mutate.run(2_000, seed=7)
    assert not found.wrong
    for name in (*mutate.PARSERS, *mutate.LINES):
        assert found.outcomes[f"{name}: refused"] and found.outcomes[f"{name}: taken"], name
    assert {f"request: {status}" for status in (200, 400, 403, 404)} <= found.outcomes.keys()


async def test_a_parser_that_drops_bytes_or_crashes_is_noticed(monkeypatch):
    start = [transaction().preimage]
    monkeypatch.setattr(
        mutate, "PARSERS", {"dropping": (lambda data: legacy(), start), "crashing": (lambda data: 1 // 0, start)}
    )
    found = await mutate.run(100, seed=7)
    said = " ".join(found.wrong)
    assert "dropping: its preimage is not what was parsed" in said and "crashing: ZeroDivisionError" in said
