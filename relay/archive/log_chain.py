"""A signed log as a chain of bundles and checkpoints: its chain id, and the form in which its trees stand there."""

from dataclasses import replace

from hutong.light_clients import tlog
from hutong.light_clients.crypto import sha256

PREFIX = "tlog-"
DIGEST_BYTES = 20
"""Of SHA-256 over the origin: with the prefix 45 characters, of the 50 that a chain id may have."""


def log_chain_id(origin: str) -> str:
    """The chain id of a log: an origin may be longer than a chain id, and has `/` in it, which separates packet ids."""
    return PREFIX + sha256(origin.encode())[:DIGEST_BYTES].hex()


def chain_id_of(client_type: str, followed: str) -> str:
    """The chain id of what a client follows, as bundles and checkpoints name it.

    Args:
        followed: as `LightClient.followed_chain_id` says it: of a log that is its origin.
    """
    return log_chain_id(followed) if client_type == tlog.TlogClient.client_type else followed


def bare_note(checkpoint: tlog.Checkpoint, client: tlog.ClientState) -> bytes:
    """A checkpoint with the lines of the log and of the witnesses that `client` knows, in that order: what other keys have
    signed beside them, nobody reads. No signature is judged here."""
    keys = [(client.log_key, tlog.ED25519), *((witness, tlog.COSIGNATURE_V1) for witness in client.witnesses)]
    names = [(key.name, key.key_id(signature_type)) for key, signature_type in keys]
    kept = [one for one in checkpoint.note.signatures if (one.name, one.key_id) in names]
    kept.sort(key=lambda one: names.index((one.name, one.key_id)))
    return tlog.encode_note(replace(checkpoint.note, signatures=tuple(kept)))
