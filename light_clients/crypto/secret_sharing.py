"""Verifiable secret sharing (Feldman, over ristretto255), by the extension `hutong-native` of the folder `native`.

A dealer splits a fresh secret, publishes commitments, and gives each holder a share. Whoever has the commitments can tell whether
a share is the one they fix: so a dealer cannot give shares that open for some and not for others, a holder who shows another
share is named, and any `threshold` good shares give the same secret. Fewer say nothing of it.

`split` draws the secret from the operating system's generator; everything else is a function of its arguments. What computes is
frost-ristretto255, whose dealer's side this is (RFC 9591, appendix C). A content key is derived of a secret, never used as it is.
"""

from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import NoReturn

MAX_HOLDERS = 100
MIN_THRESHOLD = 2
ENCODED_BYTES = 32
"""Of a secret, of a share (scalars), and of one commitment (a point)."""

NOT_BUILT = "not supported: secret sharing needs the extension hutong-native (in the checkout of hutong run: pip install ./native)"


class SharingNotBuilt(ImportError):
    """The extension is not there."""

    def __init__(self) -> None:
        super().__init__(NOT_BUILT)


class SharingError(ValueError):
    """Of everything here but the missing extension."""


class CountsRefused(SharingError):
    """A threshold, a number of holders, a holder's number or a number of shares that is out of bounds."""


class CommitmentsRefused(SharingError):
    """Bytes that are no commitments."""


class ShareRefused(SharingError):
    """A share that the commitments do not fix, or that is there twice. `holder` is who showed it."""

    def __init__(self, holder: int, why: str) -> None:
        super().__init__(f"the share of holder {holder} is refused: {why}")
        self.holder, self.why = holder, why


@dataclass(frozen=True, slots=True)
class Commitments:
    """What a dealer publishes: one point for each coefficient, 32 bytes each, as many as shares give the secret."""

    encoded: bytes

    def __post_init__(self) -> None:
        count, rest = divmod(len(self.encoded), ENCODED_BYTES)
        if rest or not MIN_THRESHOLD <= count <= MAX_HOLDERS:
            raise CommitmentsRefused(
                f"commitments have {len(self.encoded)} bytes, not {ENCODED_BYTES} for each of {MIN_THRESHOLD} to {MAX_HOLDERS}"
            )

    @property
    def threshold(self) -> int:
        """So many shares give the secret. The dealer chose it: compare it with what was agreed."""
        return len(self.encoded) // ENCODED_BYTES


@dataclass(frozen=True, slots=True)
class Share:
    """What one holder has; holders have the numbers from 1. Its value is in no text that Python makes of it."""

    holder: int
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _holder_in_range(self.holder)
        if len(self.value) != ENCODED_BYTES:
            raise ShareRefused(self.holder, f"it has {len(self.value)} bytes, not {ENCODED_BYTES}")


@dataclass(frozen=True, slots=True)
class Dealing:
    """A split secret, as its dealer has it: 32 bytes of which nothing but a key derivation should be given."""

    secret: bytes = field(repr=False)
    commitments: Commitments
    shares: tuple[Share, ...]


def is_built() -> bool:
    """Whether the functions of this module can be called."""
    return extension() is not None


@cache
def extension() -> ModuleType | None:
    """The module of the extension, or None where it is not there."""
    try:
        import hutong_native
    except ImportError:
        return None
    module: ModuleType = hutong_native
    return module


def split(threshold: int, holders: int) -> Dealing:
    """A fresh secret, any `threshold` of whose `holders` shares give it.

    Args:
        threshold: 2 to `holders`.
        holders: at most `MAX_HOLDERS`.

    Raises:
        CountsRefused: one of them is out of its bounds.
        SharingNotBuilt: the extension is not there.
    """
    native = _required()
    if not MIN_THRESHOLD <= threshold <= holders <= MAX_HOLDERS:
        raise CountsRefused(
            f"{threshold} of {holders}: not {MIN_THRESHOLD} to as many as there are holders, of at most {MAX_HOLDERS}"
        )
    try:
        secret, commitments, values = native.split(threshold, holders)
    except native.SharingRefused as error:
        _refuse(error)
    shares = (Share(at + 1, values[at * ENCODED_BYTES : (at + 1) * ENCODED_BYTES]) for at in range(holders))
    return Dealing(secret, Commitments(commitments), tuple(shares))


def verify_share(commitments: Commitments, share: Share) -> None:
    """Returns where the share is the one that the commitments fix for its holder.

    Raises:
        ShareRefused: it is another one, or no scalar.
        CommitmentsRefused: one of the commitments is no point, or the neutral one.
        SharingNotBuilt: the extension is not there.
    """
    native = _required()
    try:
        native.verify_share(commitments.encoded, share.holder, share.value)
    except native.SharingRefused as error:
        _refuse(error)


def reconstruct(commitments: Commitments, shares: tuple[Share, ...]) -> bytes:
    """The secret, 32 bytes, of `commitments.threshold` shares or more; each is verified before any is used.

    Raises:
        ShareRefused: the first share that is not what the commitments fix, or of a holder who is there already.
        CountsRefused: too few or too many.
        CommitmentsRefused: as `verify_share`.
        SharingNotBuilt: the extension is not there.
    """
    native = _required()
    if not commitments.threshold <= len(shares) <= MAX_HOLDERS:
        raise CountsRefused(f"{len(shares)} shares: not {commitments.threshold} to {MAX_HOLDERS}")
    holders = [share.holder for share in shares]
    try:
        secret: bytes = native.reconstruct(commitments.encoded, holders, b"".join(share.value for share in shares))
    except native.SharingRefused as error:
        _refuse(error)
    return secret


def _holder_in_range(holder: int) -> None:
    if not 1 <= holder <= MAX_HOLDERS:
        raise CountsRefused(f"holder {holder}: holders have the numbers 1 to {MAX_HOLDERS}")


def _required() -> ModuleType:
    native = extension()
    if native is None:
        raise SharingNotBuilt
    return native


_WHY = {
    "share": "it is no scalar",
    "inconsistent": "it is not the one that the commitments fix",
    "twice": "it is there twice",
}


def _refuse(error: ValueError) -> NoReturn:
    """What the extension refused, by the code and the holder that it says."""
    code, holder = error.args
    if code in _WHY:
        raise ShareRefused(holder, _WHY[code]) from None
    if code == "commitments":
        raise CommitmentsRefused("a commitment is no point, or the neutral one") from None
    raise CountsRefused(f"the extension refuses it: {code}") from None
