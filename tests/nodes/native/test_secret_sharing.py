"""Verifiable secret sharing through its door: RFC 9591's example, the tests' own ristretto255 as judge, liars, bounds, mutations."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest

from hutong.light_clients.crypto import secret_sharing
from hutong.light_clients.crypto.engines import ALGORITHMS, try_engine
from hutong.light_clients.crypto.secret_sharing import (
    Commitments,
    CommitmentsRefused,
    CountsRefused,
    Dealing,
    Share,
    ShareRefused,
    SharingError,
)
from tests.light_clients.crypto import ristretto_reference as ristretto
from tests.light_clients.crypto.engines.test_lock import TRIES, steps_of_another_thread

pytestmark = [pytest.mark.nodes, pytest.mark.usefixtures("extension")]

RFC_SECRET = bytes.fromhex("1b25a55e463cfd15cf14a5d3acc3d15053f08da49c8afcf3ab265f2ebc4f970b")
RFC_COMMITMENTS = Commitments(
    bytes.fromhex(
        "e2a62f39eede11269e3bd5a7d97554f5ca384f9f6d3dd9c3c0d05083c7254f57"  # the group's public key, printed there
        "4262ec299d418d5dcc99136fb3d0dd60e0052230819c61e406378bb2ab16520e"  # of its coefficient, by ristretto_reference
    )
)
RFC_SHARES = tuple(
    Share(holder, bytes.fromhex(value))
    for holder, value in (
        (1, "5c3430d391552f6e60ecdc093ff9f6f4488756aa6cebdbad75a768010b8f830e"),
        (2, "b06fc5eac20b4f6e1b271d9df2343d843e1e1fb03c4cbb673f2872d459ce6f01"),
        (3, "f17e505f0e2581c6acfe54d3846a622834b5e7b50cad9a2109a97ba7a80d5c04"),
    )
)
"""RFC 9591, appendix E.3: FROST(ristretto255, SHA-512), 2 of 3."""


@pytest.fixture
def dealing() -> Dealing:
    return secret_sharing.split(5, 7)


def test_example_of_rfc_9591():
    for share in RFC_SHARES:
        secret_sharing.verify_share(RFC_COMMITMENTS, share)
    for left_out in RFC_SHARES:
        shares = tuple(share for share in RFC_SHARES if share is not left_out)
        assert secret_sharing.reconstruct(RFC_COMMITMENTS, shares) == RFC_SECRET
    assert secret_sharing.reconstruct(RFC_COMMITMENTS, RFC_SHARES) == RFC_SECRET


def numbers(shares: tuple[Share, ...]) -> dict[int, int]:
    return {share.holder: int.from_bytes(share.value, "little") for share in shares}


def test_two_hundred_subsets_give_the_same_secret():
    draw = random.Random(200)
    for threshold, holders in ((3, 4), (5, 7), (67, 100)):
        dealing = secret_sharing.split(threshold, holders)
        for _ in range(200 if holders < 10 else 10):
            subset = tuple(draw.sample(dealing.shares, draw.randint(threshold, holders)))
            assert secret_sharing.reconstruct(dealing.commitments, subset) == dealing.secret
        by_hand = ristretto.interpolated(numbers(draw.sample(dealing.shares, threshold)))
        assert by_hand.to_bytes(32, "little") == dealing.secret


def test_commitments_are_of_the_polynomial_that_the_shares_lie_on():
    dealing = secret_sharing.split(3, 4)
    points = [ristretto.decode(dealing.commitments.encoded[at : at + 32]) for at in range(0, 96, 32)]
    secret = ristretto.times(int.from_bytes(dealing.secret, "little"), ristretto.GENERATOR)
    assert ristretto.encode(secret) == dealing.commitments.encoded[:32]
    for share in dealing.shares:
        fixed = ristretto.NEUTRAL
        for power, point in enumerate(points):
            assert point is not None
            fixed = ristretto.add(fixed, ristretto.times(share.holder**power, point))
        held = ristretto.times(int.from_bytes(share.value, "little"), ristretto.GENERATOR)
        assert ristretto.encode(held) == ristretto.encode(fixed)


def test_fewer_shares_are_refused_and_give_another_number(dealing):
    with pytest.raises(CountsRefused, match="4 shares: not 5 to 100"):
        secret_sharing.reconstruct(dealing.commitments, dealing.shares[:4])
    by_hand = ristretto.interpolated(numbers(dealing.shares[:4]))
    assert by_hand.to_bytes(32, "little") != dealing.secret


def changed(share: Share) -> Share:
    """One more, which is a scalar too: nothing but the commitments tells it from the right one."""
    number = (int.from_bytes(share.value, "little") + 1) % ristretto.ORDER
    return replace(share, value=number.to_bytes(32, "little"))


def test_holder_with_another_share_is_named(dealing):
    for liar in dealing.shares:
        with pytest.raises(ShareRefused, match="not the one that the commitments fix") as refused:
            secret_sharing.verify_share(dealing.commitments, changed(liar))
        assert refused.value.holder == liar.holder
        shares = tuple(changed(share) if share is liar else share for share in dealing.shares)
        with pytest.raises(ShareRefused) as refused:
            secret_sharing.reconstruct(dealing.commitments, shares)
        assert refused.value.holder == liar.holder


def test_dealers_inconsistent_share_is_seen_by_its_holder(dealing):
    """A dealer whose package opens for some and not for others: the holder of the share that is off sees it alone."""
    other = secret_sharing.split(5, 7)
    for share in other.shares:
        with pytest.raises(ShareRefused):
            secret_sharing.verify_share(dealing.commitments, share)


def test_share_of_another_holder_is_refused(dealing):
    with pytest.raises(ShareRefused):
        secret_sharing.verify_share(dealing.commitments, replace(dealing.shares[0], holder=2))


def test_share_is_counted_once(dealing):
    with pytest.raises(ShareRefused, match="there twice") as refused:
        secret_sharing.reconstruct(dealing.commitments, (*dealing.shares[:4], dealing.shares[3]))
    assert refused.value.holder == 4


@pytest.mark.parametrize("number", [ristretto.ORDER, ristretto.ORDER + 1, 2**255, 2**256 - 1])
def test_share_has_one_encoding(dealing, number):
    with pytest.raises(ShareRefused, match="no scalar"):
        secret_sharing.verify_share(dealing.commitments, Share(1, number.to_bytes(32, "little")))


def bad_points() -> Iterator[bytes]:
    """The neutral element, a negative number, numbers from the prime on, and numbers of no point (RFC 9496, appendix A.2)."""
    yield bytes(32)
    yield bytes([1]) + bytes(31)
    yield (ristretto.PRIME + 2).to_bytes(32, "little")
    yield b"\xff" * 32
    yield next(
        number.to_bytes(32, "little")
        for number in range(2, 1_000, 2)
        if ristretto.decode(number.to_bytes(32, "little")) is None
    )


def test_commitments_are_points(dealing):
    for bad in bad_points():
        for at in (0, 64, 128):
            encoded = dealing.commitments.encoded
            commitments = Commitments(encoded[:at] + bad + encoded[at + 32 :])
            with pytest.raises(CommitmentsRefused, match="no point"):
                secret_sharing.verify_share(commitments, dealing.shares[0])
            with pytest.raises(CommitmentsRefused):
                secret_sharing.reconstruct(commitments, dealing.shares)


@pytest.mark.parametrize(("threshold", "holders"), [(2, 2), (2, 100), (100, 100)])
def test_smallest_and_largest_dealings(threshold, holders):
    dealing = secret_sharing.split(threshold, holders)
    assert (dealing.commitments.threshold, len(dealing.shares)) == (threshold, holders)
    assert secret_sharing.reconstruct(dealing.commitments, dealing.shares[-threshold:]) == dealing.secret


@pytest.mark.parametrize(("threshold", "holders"), [(1, 2), (0, 2), (3, 2), (2, 101), (101, 101), (-1, 4), (2, 2**70)])
def test_counts_are_bounded(threshold, holders):
    with pytest.raises(CountsRefused):
        secret_sharing.split(threshold, holders)


def test_dealings_differ():
    assert len({secret_sharing.split(2, 2).secret for _ in range(100)}) == 100


def test_extension_bounds_what_its_door_does_not(extension: ModuleType, dealing):
    """It is a border of its own: whoever calls it without the door meets a typed error, too."""
    encoded, share = dealing.commitments.encoded, dealing.shares[0].value
    calls = [
        lambda: extension.split(1, 2),
        lambda: extension.split(2, 101),
        lambda: extension.verify_share(encoded[:-1], 1, share),
        lambda: extension.verify_share(encoded[:32], 1, share),
        lambda: extension.verify_share(encoded * 21, 1, share),
        lambda: extension.verify_share(encoded, 0, share),
        lambda: extension.verify_share(encoded, 101, share),
        lambda: extension.verify_share(encoded, 1, b""),
        lambda: extension.verify_share(encoded, 1, share + b"\0"),
        lambda: extension.reconstruct(encoded, [1] * 5, share * 4),
        lambda: extension.reconstruct(encoded, [1], share),
        lambda: extension.reconstruct(encoded, [], b""),
        lambda: extension.reconstruct(encoded, [1] * 101, share * 101),
    ]
    for call in calls:
        with pytest.raises(extension.SharingRefused) as refused:
            call()
        code, holder = refused.value.args
        assert isinstance(code, str)
        assert holder is None or 1 <= holder <= 100


def test_mutated_inputs_end_in_named_errors(dealing):
    """No crash, and nothing but the good shares is taken: 20 000 inputs with up to three changes, by a fixed seed."""
    draw = random.Random(20)
    taken = 0
    for _ in range(20_000):
        encoded = mutated(draw, dealing.commitments.encoded)
        shares = [
            (draw.randint(-1, 101), mutated(draw, share.value)) if draw.random() < 0.2 else (share.holder, share.value)
            for share in draw.sample(dealing.shares, draw.randint(4, 7))
        ]
        try:
            made = tuple(Share(holder, value) for holder, value in shares)
            secret = secret_sharing.reconstruct(Commitments(encoded), made)
        except SharingError:
            continue
        assert secret == dealing.secret
        taken += 1
    assert taken


def mutated(draw: random.Random, data: bytes) -> bytes:
    if draw.random() < 0.5:
        return data
    changing = bytearray(data)
    for _ in range(draw.randint(1, 3)):
        if changing and draw.random() < 0.9:
            changing[draw.randrange(len(changing))] = draw.randrange(256)
        else:
            del changing[draw.randrange(len(changing) + 1) :]
    return bytes(changing)


def test_lock_is_released_while_it_computes():
    dealing = secret_sharing.split(100, 100)
    work = partial(secret_sharing.verify_share, dealing.commitments, dealing.shares[-1])
    # on a busy machine the other thread may have no core just then
    assert any(steps_of_another_thread(work) > 0 for _ in range(TRIES))


def test_engine_gives_the_known_answers():
    algorithm = ALGORITHMS["share verify"]
    assert try_engine(algorithm, algorithm.engines[0]) == len(algorithm.known)
