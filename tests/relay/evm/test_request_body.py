import pytest

from relay.evm.request_body import BodyTooLarge, read_body


def arriving(*messages):
    waiting = list(messages)

    async def receive():
        return waiting.pop(0)

    return receive


def part(body, *, more):
    return {"type": "http.request", "body": body, "more_body": more}


async def test_parts_are_joined():
    assert await read_body(arriving(part(b"ab", more=True), part(b"", more=True), part(b"c", more=False)), 3) == b"abc"


async def test_one_byte_over_the_bound_is_refused_before_the_end():
    with pytest.raises(BodyTooLarge) as refused:
        await read_body(arriving(part(b"ab", more=True), part(b"cd", more=True)), 3)
    assert refused.value.max_bytes == 3


async def test_who_left_has_sent_nothing():
    assert await read_body(arriving(part(b"ab", more=True), {"type": "http.disconnect"}), 3) is None
