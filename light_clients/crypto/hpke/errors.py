"""What sealing, opening and parsing of keys fail with. No message has a secret, a key or a plain text in it."""


class HpkeError(ValueError):
    """Of everything here but the missing extra."""


class HpkeNotInstalled(ImportError):
    """The extra `hpke` is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "not supported: HPKE without the extra `hpke` (in the checkout of hutong run: pip install -c constraints.txt '.[hpke]')"
        )


class SuiteUnsupported(HpkeError):
    """A suite, or a use of one, that no engine here serves."""

    def __init__(self, what: str) -> None:
        super().__init__(f"not supported: {what}")


class KeyRefused(HpkeError):
    """Bytes that are no key of this KEM, or one with which nothing may be sealed."""

    def __init__(self, kem: str, why: str) -> None:
        super().__init__(f"a key of {kem} is refused: {why}")
        self.kem, self.why = kem, why


class SizeRefused(HpkeError):
    """Something that has too many bytes, or another number than its suite says."""

    def __init__(self, name: str, size: int, allowed: str) -> None:
        super().__init__(f"{name} has {size} bytes, {allowed}")
        self.name, self.size, self.allowed = name, size, allowed


class NotOpened(HpkeError):
    """Another key, info, aad or suite than it was sealed with, or changed bytes: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("does not open: sealed to another key, with other info or aad, or changed since")
