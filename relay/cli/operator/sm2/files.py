"""Keys of these commands in files, and each refusal as one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hutong.relay.cli.common.bounded_files import read
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

if TYPE_CHECKING:
    from hutong.light_clients.crypto.gm import KeyPair

MAX_SIGNED_BYTES = 64 * 1024 * 1024


def read_key_pair(path: Path) -> "KeyPair":
    """The key of a PEM file of mode 0600.

    Raises:
        Refused: others may read the file, or it holds no such key.
    """
    from hutong.light_clients.crypto.gm import GmMalformed, key_pair_from_pem
    from hutong.relay.config import UnsafeFile, read_private_file

    try:
        return key_pair_from_pem(read_private_file(path))
    except UnsafeFile as error:
        raise Refused(str(error), UNUSABLE) from None
    except GmMalformed as error:
        raise Refused(f"{path}: {error}", UNUSABLE) from None


def read_public_key(path: Path) -> bytes:
    """x ‖ y of a PEM file.

    Raises:
        Refused: it cannot be read, or holds no public key of SM2.
    """
    from hutong.light_clients.crypto.gm import GmMalformed, public_key_from_pem

    try:
        return public_key_from_pem(read(path, 1024))
    except GmMalformed as error:
        raise Refused(f"{path}: {error}", UNUSABLE) from None


@contextmanager
def sentences() -> Iterator[None]:
    """What cannot be done as one sentence: code 1 where a file does not open, else 2."""
    from hutong.light_clients.crypto.gm import GmMalformed, GmNotAuthentic, GmNotInstalled
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.keys.sealed_file import PurposeTooLong
    from hutong.relay.keys.sm2_sealed_file import NotOpened

    try:
        yield
    except NotOpened as error:
        raise Refused(f"it {error}", REFUSED) from None
    except GmNotInstalled as error:
        raise Refused(f"not supported: {error}", UNUSABLE) from None
    except (GmMalformed, GmNotAuthentic, MalformedInput, PurposeTooLong) as error:
        raise Refused(str(error), UNUSABLE) from None
