"""A signature that is right, and of another time than was asked for."""

from hutong.adapters.interface.errors import SignerFaulty


class SignedEarlier(SignerFaulty):
    """The signer repeats what it signed before for the same vote or proposal with another time, as CometBFT's signer does.

    `signature` (65 bytes, verified) is over the document with `timestamp_ns`. Whoever keeps the record of votes may take it.
    """

    def __init__(self, source: str, timestamp_ns: int, signature: bytes) -> None:
        super().__init__(source, "signed the same before, with another time")
        self.timestamp_ns, self.signature = timestamp_ns, signature
