"""Headers as record bundles carry them: without what proof bundles need and nobody would read here (docs/spec/records.md)."""

from dataclasses import replace

from hutong.light_clients import bft_evm
from hutong.light_clients.bft_evm import SealRules, encode_extra_data
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry


def as_records_carry_them(chain: ChainHeaders, rules: SealRules) -> ChainHeaders:
    """The chain's headers without account proofs beside them, and where a contract selects validators with bare parents.

    Args:
        rules: those of a `bft-evm` client of the chain; other kinds do not read them.

    Raises:
        MalformedInput: a header cannot be read.
    """
    match chain.kind:
        case ChainKind.BFT_EVM:
            return replace(chain, headers=tuple(replace(entry, account_proof=()) for entry in chain.headers))
        case ChainKind.BFT_EVM_CONTRACT:
            return replace(chain, headers=tuple(_with_bare_parent(entry, rules) for entry in chain.headers))
        case _:
            return chain


def has_bare_parent(entry: HeaderEntry, rules: SealRules) -> bool:
    """Whether the parent that an update shows is without seals, of which its hash says nothing.

    Raises:
        MalformedInput: the update cannot be read.
    """
    return _with_bare_parent(entry, rules) == entry


def _with_bare_parent(entry: HeaderEntry, rules: SealRules) -> HeaderEntry:
    message = bft_evm.decode_header_message(entry.header, rules)
    shown = message.validators_proof
    if shown is None:
        return entry
    extra = shown.parent.extra.without_seals_and_round()
    execution = replace(shown.parent.execution, extra_data=encode_extra_data(extra))
    parent = replace(shown.parent, execution=execution, extra=extra)
    bare = replace(message, validators_proof=replace(shown, parent=parent))
    return replace(entry, header=bft_evm.encode_header_message(bare))
