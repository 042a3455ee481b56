"""What this suite raises beside `GmNotInstalled`. No message holds a key or a clear text."""


class GmMalformed(ValueError):
    """An argument is not in its one canonical form, or out of its bounds; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"{field} {reason}")


class GmNotAuthentic(ValueError):
    """Well-formed input is not of this key, or was changed."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(f"{field} {reason}")
