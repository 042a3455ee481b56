"""A home's consensus key put under a password, and taken out of it."""

from pathlib import Path

from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.home.home import VALIDATOR_KEY_FILE, UnusableHome, encode_validator_key
from hutong.relay.hub.home.key_file import KeyFile, Password, encrypted, open_key, parse_key_file, read_key_file


def own_key_file(home: Path) -> KeyFile:
    """The key of a home of the embedded engine, or of a signer.

    Raises:
        UnusableHome: it is a home under CometBFT, or the key cannot be read.
    """
    if (home / "cometbft").is_dir():
        raise UnusableHome(
            f"{home} is of a hub under CometBFT, which reads its key plain: an encrypted one is not supported"
        )
    return read_key_file(home / VALIDATOR_KEY_FILE)


def encrypt_own_key(home: Path, password: Password, iterations: int | None) -> KeyFile:
    """Put the key under a password. The file is written only when what it will hold opens to the same key.

    Args:
        password: asked once the key is known to be plain.
        iterations: scrypt's N, a power of two; None: the library's default.

    Returns:
        The file as it was.

    Raises:
        UnusableHome: the key is encrypted already, or key, password or cost are unusable, or it cannot be written.
    """
    file = own_key_file(home)
    if file.is_encrypted:
        raise UnusableHome(f"{file.path} is encrypted already")
    try:
        secret = password(file.path)
        key = open_key(file)
        data = encrypted(secret, file.path, iterations)(key)
        if open_key(parse_key_file(file.path, data), lambda _: secret) != key:
            raise UnusableHome(f"{file.path}: the encrypted key does not open to the same key; nothing was changed")
        write_durably(file.path, data)
    except (OSError, ValueError) as error:
        raise UnusableHome(f"{home}: {error}") from None
    return file


def decrypt_own_key(home: Path, password: Password) -> KeyFile:
    """Take the password off: a plain priv_validator_key.json, mode 0600, as CometBFT reads it.

    Returns:
        The file as it was.

    Raises:
        UnusableHome: the key is plain, or key or password are unusable, or it cannot be written.
    """
    file = own_key_file(home)
    if not file.is_encrypted:
        raise UnusableHome(f"{file.path} is not encrypted")
    key = open_key(file, password)
    try:
        write_durably(file.path, encode_validator_key(key))
    except OSError as error:
        raise UnusableHome(f"{home}: {error}") from None
    return file
