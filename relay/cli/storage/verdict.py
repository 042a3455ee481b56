"""`hutong storage verdict` and `claim`: what another chain makes of a verdict of the hub, and what a contract there pays for it."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.configured import chain_of, evm_chain_of, hub_of, only_client_of
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, run_administration
from hutong.relay.cli.common.signers import SignerOptions
from hutong.relay.cli.hub.storage import Operator, id_of
from hutong.relay.config import CosmosChainConfig

if TYPE_CHECKING:
    from hutong.adapters.evm.storage_audit import AuditTerms
    from hutong.relay.administration.storage.elsewhere import JudgedVerdict

Epoch = Annotated[int, typer.Argument(min=1, max=2**64 - 1, metavar="EPOCH", help="Of the audit.")]
On = Annotated[str, typer.Option("--on", help="Name of the chain that judges, as the configuration has it.")]


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """Who judges on the chain."""

    audit: Annotated[
        str | None, typer.Option(help="EVM: address of its StorageAudit, `hutong storage deploy-audit`.")
    ] = None
    client: Annotated[
        str | None, typer.Option(help="Cosmos: its client of the hub; unneeded if the chain has one path.")
    ] = None


@dataclass(frozen=True, slots=True)
class TermsOptions:
    """What is asked of an audit that counts."""

    max_age_s: Annotated[int, typer.Option(min=1, max=2**63 - 1, help="How old the verdict may be.")] = 172_800
    min_probes: Annotated[int, typer.Option(min=0, max=4_096, help="Asked at least.")] = 1
    min_reveals: Annotated[int, typer.Option(min=1, max=16, help="Auditors who revealed at least.")] = 1

    def terms(self) -> "AuditTerms":
        """As contracts take them."""
        from hutong.adapters.evm.storage_audit import AuditTerms

        return AuditTerms(self.max_age_s, self.min_probes, self.min_reveals)


def verdict(
    operator: Operator,
    epoch: Epoch,
    config: ConfigFile,
    on: On,
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    judge: JudgeOptions,
    terms: TermsOptions,
) -> None:
    """Put a verdict of the hub before another chain: its StorageAudit, or the stock client of a Cosmos chain. Sends nothing.

    It is shown under the newest header of the hub that the chain has. --json has what contracts and modules there are given.
    Exit codes: 0 it counts there, 1 refused, or nothing to show, 2 unusable input.
    """
    judged = run_administration(_question(config, on, hub, judge, (id_of(operator), epoch, terms.terms())))
    if as_json:
        typer.echo(json.dumps(_fields(judged) | {"chain": on, "operator": id_of(operator).hex(), "epoch": epoch}))
    else:
        _print(judged, on)
    if judged.refusal is not None:
        raise typer.Exit(REFUSED)


def claim(
    operator: Operator,
    epoch: Epoch,
    config: ConfigFile,
    on: On,
    audit: Annotated[str, typer.Option(help="Address of its StorageAudit.")],
    escrow: Annotated[str, typer.Option(help="Contract with `claim`, made as ExampleStorageEscrow.")],
    deal: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Number of the deal there.")],
    hub: HubName = None,
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Bring a verdict to an escrow on an EVM chain, which pays if it was passed on the deal's own terms. Anybody may.

    Exit codes: 0 paid, 1 refused and nothing sent, 2 unusable input.
    """
    from hutong.relay.administration.storage.elsewhere import WantedVerdict, claim_on_evm

    loaded = config_of(config)
    chain, contract = evm_chain_of(loaded, on), address_of(audit, "--audit")
    paying, wanted = (address_of(escrow, "--escrow"), deal), WantedVerdict(id_of(operator), epoch)
    work = partial(claim_on_evm, chain, contract, hub_of(loaded, hub), wanted, paying, payer.open())
    print_values({"transaction": run_administration(work)}, as_json=as_json)


def _question(
    config: Path, on: str, hub: str | None, judge: JudgeOptions, asked: "tuple[bytes, int, AuditTerms]"
) -> Callable[..., Any]:
    from hutong.relay.administration.storage.elsewhere import WantedVerdict, verdict_on_cosmos, verdict_on_evm

    loaded = config_of(config)
    hub_chain, (operator, epoch, terms) = hub_of(loaded, hub), asked
    wanted = WantedVerdict(operator, epoch)
    chain = chain_of(loaded, on)
    if isinstance(chain, CosmosChainConfig):
        if judge.audit is not None:
            raise Refused(f"{on} is of kind cosmos, which has no StorageAudit: leave --audit", UNUSABLE)
        client = only_client_of(loaded, on) if judge.client is None else judge.client
        return partial(verdict_on_cosmos, chain, client, hub_chain, wanted, terms)
    if judge.audit is None or judge.client is not None:
        raise Refused(f"give --audit, and no --client: {on} is of kind {chain.kind}", UNUSABLE)
    address = address_of(judge.audit, "--audit")
    return partial(verdict_on_evm, evm_chain_of(loaded, on), address, hub_chain, wanted, terms)


def _print(judged: "JudgedVerdict", on: str) -> None:
    found = judged.verdict
    typer.echo(
        f"{found.outcome.name.lower()}: {found.held} held and {found.removed} removed of {found.asked} probes,"
        f" {found.reveals} auditors revealed, at block {found.height} of the hub"
    )
    under = f"under the hub's header {judged.header.revision_height}"
    if judged.refusal is None:
        typer.echo(f"{on} accepts it, by its {judged.judge}, {under}")
        return
    name, reason = judged.refusal
    typer.echo(f"{on} refuses it, by its {judged.judge}, {under}: {name}: {reason}", err=True)


def _fields(judged: "JudgedVerdict") -> dict[str, Any]:
    said = asdict(judged.verdict) | {"outcome": judged.verdict.outcome.name.lower()}
    refusal = None if judged.refusal is None else dict(zip(("name", "reason"), judged.refusal, strict=True))
    return {
        "accepted": judged.refusal is None,
        "refusal": refusal,
        "judge": judged.judge,
        "header": judged.header.revision_height,
        "verdict": {name: f"0x{one.hex()}" if isinstance(one, bytes) else one for name, one in said.items()},
        "call": judged.call,
    }
