"""`hutong verify ics23 | eip1186`: one proof, or a batch, from a root that the user trusts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hutong.light_clients.interface import audit
from hutong.relay.cli.audit.options import File, VerdictsAsJson
from hutong.relay.cli.common.verdicts import report
from hutong.relay.verify.inputs import UnusableInput, parse_hex, read_file, read_json, required


class SpecName(StrEnum):
    """The standard ICS-23 proof specs."""

    IAVL = "iavl"
    TENDERMINT = "tendermint"
    SMT = "smt"


@dataclass(frozen=True, slots=True)
class ClaimOptions:
    """What the proof is to be of; none of it may come from the proof."""

    spec: Annotated[SpecName | None, typer.Option(help="Kind of the tree that holds the key.")] = None
    key: Annotated[str | None, typer.Option(help="Key in that tree, hex.")] = None
    value: Annotated[str | None, typer.Option(help="Claimed value, hex; without it the key is claimed absent.")] = None
    store: Annotated[
        str | None,
        typer.Option(
            help="Name of the store in a Cosmos SDK multistore, where the file has a second proof up to the app hash."
        ),
    ] = None
    claims: Annotated[
        Path | None,
        typer.Option(
            help="In place of --key, many keys by one batch: a JSON object of keys and values or null, in hex."
        ),
    ] = None

    def batch(self) -> "Sequence[tuple[bytes, bytes | None]] | None":
        """The keys and values of --claims, None for an absent key; None without that option.

        Raises:
            UnusableInput: options are missing or do not go together, or the file is none.
        """
        from hutong.relay.verify.proof_files import read_claims

        if self.spec is None or (self.key is None and self.claims is None):
            raise UnusableInput("give --spec and --key: what the proof is of must not come from the proof")
        if self.claims is None:
            return None
        if (self.key, self.value, self.store) != (None, None, None):
            raise UnusableInput(
                "--claims names keys and values of one tree: it goes without --key, --value and --store"
            )
        return read_claims(read_json(self.claims), str(self.claims))

    def single(self) -> tuple[tuple[bytes, ...], bytes | None]:
        """The path of --key, with the store's name if there is one, and the value; None claims that it is absent.

        Raises:
            UnusableInput: one is no hex, or empty.
        """
        key = b"" if self.key is None else parse_hex(self.key, "--key")
        value = None if self.value is None else parse_hex(self.value, "--value")
        if not key or value == b"":
            raise UnusableInput("an empty --key or --value is never stored; leave --value out to claim absence")
        return ((key,) if self.store is None else (self.store.encode(), key)), value


def ics23_command(
    file: File,
    root: Annotated[str | None, typer.Option(help="Trusted root, hex: the app hash of the next header.")] = None,
    as_json: VerdictsAsJson = False,
    *,
    claim: ClaimOptions,
) -> None:
    """Judge an ICS-23 proof: CommitmentProof or MerkleProof (raw, hex or base64), or an abci_query response with its proof."""
    from hutong.light_clients.proofs import ics23
    from hutong.relay.verify.proof_files import audit_ics23_batch, claim_in_words, judge_ics23, read_ics23

    trusted = parse_hex(required(root, "--root", "the app hash or tree root that you trust"), "--root")
    asked = claim.batch()
    path, claimed = ((), None) if asked is not None else claim.single()
    parsed = read_ics23(read_file(file), str(file))
    spec = ics23.STANDARD_SPECS[required(claim.spec, "--spec", "the kind of tree")]
    subject = {"file": f"{file} ({parsed.form}, {parsed.count} proof{'s'[: parsed.count != 1]})", "root": trusted.hex()}
    if asked is not None:
        if parsed.count != 1:
            raise UnusableInput(f"{file} holds {parsed.count} proofs: --claims are judged by one batch")
        absent = sum(held is None for _, held in asked)
        subject["claims"] = f"{len(asked) - absent} values, {absent} absent"
        report(audit_ics23_batch(parsed, spec, trusted, asked), subject, as_json=as_json)
    if parsed.count == 2 and claim.store is None:
        raise UnusableInput(f"{file} holds a second proof up to the app hash: name its store with --store")
    specs: tuple[ics23.ProofSpec, ...] = (spec,) if claim.store is None else (spec, ics23.TENDERMINT_SPEC)
    subject |= claim_in_words(path, claimed)
    report(audit(judge_ics23, parsed, specs, trusted, path, claimed), subject, as_json=as_json)


def eip1186_command(
    file: File,
    state_root: Annotated[
        str | None, typer.Option(help="Trusted state root, hex: of a block header that you trust.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="The account that the file must be about, hex.")] = None,
    as_json: VerdictsAsJson = False,
) -> None:
    """Judge an eth_getProof result, bare or in its JSON-RPC envelope: the account and every slot in it."""
    from hutong.relay.verify.proof_files import account_in_words, judge_eip1186, read_eip1186

    trusted = parse_hex(required(state_root, "--state-root", "of a block header that you trust"), "--state-root", 32)
    claim = read_eip1186(read_json(file), str(file))
    wanted = claim.address if address is None else parse_hex(address, "--address", 20)
    subject = {"file": str(file), "state root": trusted.hex(), **account_in_words(claim)}
    report(audit(judge_eip1186, trusted, claim, wanted), subject, as_json=as_json)
