"""The parameters of a log ("did:webvh DID Method Parameters"): what an entry says, and what is active after it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from hutong.light_clients.interface import rule
from hutong.light_clients.interface.document import Document, Members
from hutong.light_clients.interface.errors import PredicateFailed
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.dids.webvh.hashes import is_entry_hash, multihash_of
from hutong.relay.services.identity.rules.drafts import DID_WEBVH
from hutong.relay.services.identity.rules.jose.algorithms import Algorithm

METHOD_VERSION: Final = "did:webvh:1.0"
DEFAULT_TTL_S: Final = 3_600
MAX_TTL_S: Final = 2**31
MAX_UPDATE_KEYS: Final = 32
MAX_NEXT_KEY_HASHES: Final = 64
MAX_WITNESSES: Final = 64
MAX_WATCHERS: Final = 32
MAX_TEXT_CHARS: Final = 512
_DID_KEY: Final = "did:key:"


@dataclass(frozen=True, slots=True)
class WitnessRule:
    """At least `threshold` of `witnesses` (multikeys of Ed25519, each once) approve an entry."""

    threshold: int
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogParameters:
    """What is active after an entry. `update_keys` are multikeys of Ed25519; `ttl_s` is advice on caching."""

    scid: str
    update_keys: tuple[str, ...]
    next_key_hashes: tuple[str, ...] = ()
    witness: WitnessRule | None = None
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl_s: int = DEFAULT_TTL_S


@dataclass(frozen=True, slots=True)
class StatedParameters:
    """What one entry says itself; None is what it leaves as it was."""

    method: str | None
    scid: str | None
    update_keys: tuple[str, ...] | None
    next_key_hashes: tuple[str, ...] | None
    witness: tuple[WitnessRule | None] | None
    """Wrapped: an entry that says `{}` says that there are no witnesses, and one that is silent says nothing."""
    watchers: tuple[str, ...] | None
    portable: bool | None
    deactivated: bool | None
    ttl_s: int | None


def read_parameters(document: Document) -> StatedParameters:
    """Only names and values that version 1.0 defines. Null is none of them: what an entry leaves out is not stated.

    Raises:
        MalformedInput: an unknown member, or a value that is not of its rule.
    """
    with document.members() as fields:
        return StatedParameters(
            method=_method(fields.optional("method")),
            scid=_scid(fields.optional("scid")),
            update_keys=_listed(fields, "updateKeys", MAX_UPDATE_KEYS, _update_key),
            next_key_hashes=_listed(fields, "nextKeyHashes", MAX_NEXT_KEY_HASHES, _text),
            witness=_witness(fields.optional("witness")),
            watchers=_listed(fields, "watchers", MAX_WATCHERS, _text),
            portable=_flag(fields.optional("portable")),
            deactivated=_flag(fields.optional("deactivated")),
            ttl_s=_ttl(fields.optional("ttl")),
        )


def _method(document: Document | None) -> str | None:
    if document is None:
        return None
    document.exactly(METHOD_VERSION, "is not a method version that is supported")
    return METHOD_VERSION


def _scid(document: Document | None) -> str | None:
    if document is None:
        return None
    text = document.text(MAX_TEXT_CHARS)
    if not is_entry_hash(text):
        raise document.refused("is not a SHA-256 multihash in base58btc", got=text)
    return text


def _flag(document: Document | None) -> bool | None:
    return None if document is None else document.flag()


def _ttl(document: Document | None) -> int | None:
    if document is None:
        return None
    return document.integer(0, MAX_TTL_S)


def _text(document: Document) -> str:
    return document.text(MAX_TEXT_CHARS, least=1)


def _update_key(document: Document) -> str:
    """A multikey that the suite of this version can verify: a key that cannot sign authorises nothing."""
    text = _text(document)
    if parse_multikey(text, document.path).algorithm is not Algorithm.EDDSA:
        raise document.refused("is a key of another suite", got=text, expected="Ed25519")
    return text


def _listed(fields: Members, name: str, most: int, read: Callable[[Document], str]) -> tuple[str, ...] | None:
    document = fields.optional(name)
    if document is None:
        return None
    found = tuple(read(item) for item in document.items(most))
    if len(set(found)) != len(found):
        raise document.refused("names one twice")
    return found


def _witness(document: Document | None) -> tuple[WitnessRule | None] | None:
    if document is None:
        return None
    if document.value == {}:
        return (None,)
    with document.members() as fields:
        witnesses = tuple(_witness_key(item) for item in fields["witnesses"].items(MAX_WITNESSES, least=1))
        if len(set(witnesses)) != len(witnesses):
            raise document.refused("names one witness twice")
        threshold = fields["threshold"].integer(1, len(witnesses))
    return (WitnessRule(threshold, witnesses),)


def _witness_key(document: Document) -> str:
    """The key of a witness, whose id is a did:key. One maker of the method's own test suite writes the bare multikey."""
    with document.members() as fields:
        return _update_key(Document(fields["id"].text(MAX_TEXT_CHARS).removeprefix(_DID_KEY), f"{document.path}.id"))


@rule(f"{DID_WEBVH}, did:webvh DID Method Parameters: method, scid, updateKeys")
def first_entry_states_what_it_must(stated: StatedParameters) -> LogParameters:
    """The first entry says method, SCID and update keys; what else it leaves out has the default."""
    if stated.method is None or stated.scid is None or stated.update_keys is None:
        missing = [
            name
            for name, value in (
                ("method", stated.method),
                ("scid", stated.scid),
                ("updateKeys", stated.update_keys),
            )
            if value is None
        ]
        raise PredicateFailed("first_entry_states_what_it_must", "is missing", expected=", ".join(missing))
    return _with(LogParameters(stated.scid, stated.update_keys), stated)


@rule(f"{DID_WEBVH}, did:webvh DID Method Parameters: scid, portable; Deactivate")
def later_entry_may_state(before: LogParameters, stated: StatedParameters) -> None:
    """Nothing follows a deactivation, the SCID stays, and a DID that was not portable never becomes so."""
    if before.deactivated:
        raise PredicateFailed("later_entry_may_state", "an entry follows the deactivation")
    if stated.scid is not None:
        raise PredicateFailed("later_entry_may_state", "the SCID is stated again", got=stated.scid)
    if stated.portable:
        raise PredicateFailed("later_entry_may_state", "portable is set after the first entry")


@rule(f"{DID_WEBVH}, Pre-Rotation Key Hash Generation and Verification")
def keys_were_committed_to(before: LogParameters, stated: StatedParameters) -> None:
    """While pre-rotation is active an entry states its keys, each of which the entry before it committed to, and the next.

    Inheriting the keys would let a stolen key sign on, which pre-rotation is there to prevent.
    """
    if not before.next_key_hashes:
        return
    if stated.update_keys is None or stated.next_key_hashes is None:
        missing = "updateKeys" if stated.update_keys is None else "nextKeyHashes"
        raise PredicateFailed("keys_were_committed_to", "is not stated while pre-rotation is active", expected=missing)
    for key in stated.update_keys:
        if multihash_of(key.encode()) not in before.next_key_hashes:
            raise PredicateFailed("keys_were_committed_to", "the entry before it has no hash of the key", got=key)


def parameters_after(before: LogParameters | None, stated: StatedParameters) -> LogParameters:
    """What is active after an entry that states `stated`; `before` is None for the first.

    Raises:
        PredicateFailed: one of the three rules above.
    """
    if before is None:
        return first_entry_states_what_it_must(stated)
    later_entry_may_state(before, stated)
    keys_were_committed_to(before, stated)
    return _with(before, stated)


def _with(before: LogParameters, stated: StatedParameters) -> LogParameters:
    return replace(
        before,
        update_keys=before.update_keys if stated.update_keys is None else stated.update_keys,
        next_key_hashes=before.next_key_hashes if stated.next_key_hashes is None else stated.next_key_hashes,
        witness=before.witness if stated.witness is None else stated.witness[0],
        watchers=before.watchers if stated.watchers is None else stated.watchers,
        portable=before.portable if stated.portable is None else stated.portable,
        deactivated=before.deactivated if stated.deactivated is None else stated.deactivated,
        ttl_s=before.ttl_s if stated.ttl_s is None else stated.ttl_s,
    )
