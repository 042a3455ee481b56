"""Why a wallet could not do its work, apart from what its rules refuse. No sentence holds a key, code or claim."""


class WalletUnusable(Exception):
    """The wallet's files are missing, unsafe, damaged, or of another password. A sentence for its owner."""


class PeerUnreachable(Exception):
    """An issuer or verifier did not answer, or not as HTTP."""

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        super().__init__(f"{address}: {reason}")


class PeerRefused(Exception):
    """An issuer or verifier answered that it will not."""

    def __init__(self, address: str, status: int, reason: str) -> None:
        self.address = address
        self.status = status
        self.reason = reason
        super().__init__(f"{address} refused with {status}{': ' + reason if reason else ''}")


class NothingLeft(Exception):
    """Every credential of the batch was presented once; showing one again would let verifiers tell that it is one person."""


class CredentialsPutOff(Exception):
    """The issuer is not ready yet. The wallet keeps what it needs to ask again, by this name, after this many seconds."""

    def __init__(self, name: str, issuer: str, wait_s: int) -> None:
        self.name = name
        self.wait_s = wait_s
        super().__init__(f"{issuer} is not ready; ask again after {wait_s} s by: hutong wallet collect {name}")
