"""`python -m bench identity verify`: a presentation of a credential judged, beside two bare signatures and other verifiers.
`steps` is that of `bench.presenting`, `register` and `generated` are those of `bench.persons`.

Presentations are SD-JWT VCs of one issuer with two of six claims shown and a key binding JWT, each of another holder with a
key of its own, as one-time credentials are: what a verifier keeps of one helps it with no other, but for the issuer's header
and certificates. The issuer is believed by a key, and then by a chain of two certificates under an anchor (HAIP). Rates are
presentations a second of processor time on one core, the best of some rounds; ours, bare and others' take turns in one run.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.rules.jose import TrustAnchors, VerificationKey, decode_base64url
from hutong.relay.services.identity.rules.sd_jwt import (
    IssuerTrust,
    PresentationPolicy,
    bind_to_holder,
    judge_presentation,
    read_compact,
    select_disclosures,
)
from tests.nodes.identity.credential_verifiers import CredentialVerifiers, running_verifiers
from tests.relay.services.identity.rules.actors import (
    AUDIENCE,
    ISSUER_KEY,
    LICENCE,
    NONCE,
    NOW_S,
    VCT,
    Signer,
    issued,
    policy,
)
from tests.relay.services.identity.rules.jose.test_certificate_attacks import MIDDLE, leaf, middle, root, x5c

TURNS, COUNT, HOLDERS = 12, 200, 50
ALONE = {"verify": "bench.identity", "issue": "bench.issuing.issue", "steps": "bench.presenting.steps"}
"""What runs in a process of its own, and its module."""
WHAT = (*ALONE, "register", "generated", "flows", "privacy", "revoke")
PEERS = ("openvc-core", "polaris-oid4vp", "sd-jwt")
PEERS_WITH_CERTIFICATES = ("polaris-oid4vp",)
"""The two others take a presentation with a key alone; openvc-core judges x5c apart from the holder's signature."""


@dataclass(frozen=True, slots=True)
class Round:
    """What all verifiers get."""

    title: str
    presentations: tuple[str, ...]
    holders: tuple[VerificationKey, ...]
    demand: PresentationPolicy
    peers: tuple[str, ...]
    anchors: tuple[str, ...] = ()
    """base64 of certificates, for the others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=list(WHAT))
    parser.add_argument("--flows", type=int, default=100, help="flows: how many of each")
    parser.add_argument("--credentials", type=int, default=10_000, help="privacy: with planted markers")
    parser.add_argument("--rounds", type=int, default=20, help="revoke: of each kind")
    parser.add_argument("--chains", type=int, default=3, help="revoke: with a gate each")
    parser.add_argument("--rate", type=float, default=200, help="revoke: presentations a second, over all chains")
    parser.add_argument("--validators", type=int, default=1, help="revoke: of the hub")
    parser.add_argument("--home", type=Path, help="revoke: an empty directory to keep files and logs in")
    parser.add_argument("--no-peers", action="store_true", help="verify, issue: without the packages of others")
    parser.add_argument("--size", type=int, default=1_000_000, help="register: persons, at most 1 048 576")
    parser.add_argument("--shards", type=int, default=2, help="generated: of 96, made leaf by leaf")
    parser.add_argument("--lists", type=int, default=4, help="generated: of 2 862, made bit by bit")


def main(console: Console, arguments: argparse.Namespace) -> None:
    """In a process of its own, as the others are: what the other benches import makes every call a tenth dearer."""
    if arguments.what == "flows":
        from bench import identity_flows

        if not identity_flows.run(console, arguments.flows):
            raise SystemExit(1)
        return
    if arguments.what == "privacy":
        from bench.issuing import privacy

        if not privacy.run(console, arguments.credentials):
            raise SystemExit(1)
        return
    if arguments.what == "revoke":
        from bench.revoking.command import Plan
        from bench.revoking.command import main as revoke

        plan = Plan(arguments.chains, arguments.validators, arguments.rounds, arguments.rate)
        if not revoke(console, plan, arguments.home):
            raise SystemExit(1)
        return
    if arguments.what not in ALONE:
        from bench.persons import generated, register

        if arguments.what == "register":
            register.main(console, arguments.size)
        else:
            generated.main(console, arguments.shards, arguments.lists)
        return
    options = ["--no-peers"] if arguments.no_peers else []
    subprocess.run([sys.executable, "-m", ALONE[arguments.what], arguments.what, *options], check=True)


def run(console: Console, arguments: argparse.Namespace) -> None:
    """Rates of each, and ours over each."""
    rounds = (
        round_of("issuer by its key", policy(), PEERS),
        round_of(
            "issuer by two certificates under an anchor",
            policy(trust=IssuerTrust((), TrustAnchors((root(),)))),
            PEERS_WITH_CERTIFICATES,
            x5c(leaf(issuer="middle", by=MIDDLE), middle()),
        ),
    )
    with nullcontext() if arguments.no_peers else running_verifiers() as others:
        for each in rounds:
            best: dict[str, float] = {}
            take_turns(best, each, others)
            console.print(table_of(each, best))


def round_of(title: str, demand: PresentationPolicy, peers: tuple[str, ...], chain: list[str] | None = None) -> Round:
    """Presentations of `HOLDERS` holders, under the issuer's key or under `chain`."""
    holders = [Signer(0xB0B + number) for number in range(HOLDERS)]
    header = {} if chain is None else {"x5c": chain}
    texts = []
    for holder in holders:
        credential = issued({**LICENCE, "cnf": {"jwk": holder.jwk}}, header=header)
        shown = select_disclosures(credential, (("given_name",), ("family_name",)))
        texts.append(str(bind_to_holder(shown, AUDIENCE, NONCE, NOW_S - 5, holder.sign)))
    anchors = () if chain is None else tuple(x5c(root()))
    return Round(title, tuple(texts), tuple(holder.public for holder in holders), demand, peers, anchors)


def table_of(of: Round, best: dict[str, float]) -> Table:
    """Rates, and ours over each."""
    title = f"an SD-JWT VC of {len(of.presentations[0]):,} characters, two of six claims shown, {of.title}"
    table = Table(title=title, title_justify="left")
    for name in ("verifier", "per second", "ours over it"):
        table.add_column(name, justify="left" if name == "verifier" else "right")
    for name, rate in best.items():
        table.add_row(name, f"{rate:,.0f}", f"{best['ours'] / rate:.2f}")
    return table


def rate_per_s(function: Callable[[], object]) -> float:
    """Of `COUNT` calls, as the others are timed."""
    started = time.process_time()
    for _ in range(COUNT):
        function()
    return COUNT / (time.process_time() - started)


def take_turns(best: dict[str, float], of: Round, others: CredentialVerifiers | None) -> None:
    """The best turn of each, in an order that lets all meet the same busy and quiet moments."""
    signed = []
    for text, holder in zip(of.presentations, of.holders, strict=True):
        parts = read_compact(text)
        tokens = ((ISSUER_KEY.public, parts.issuer_jwt), (holder, parts.key_binding_jwt or ""))
        signed.append([(key, token.rpartition(".")[0].encode(), key_signature(token)) for key, token in tokens])
    texts, pairs = cycle(of.presentations), cycle(signed)

    def bare() -> None:
        for key, message, signature in next(pairs):
            if not key.verifies(message, signature):
                raise ValueError("a signature of the presentation does not verify")

    for _ in range(TURNS):
        rates = {
            "ours": rate_per_s(lambda: judge_presentation(VERIFY, next(texts), of.demand)),
            "two bare ES256 signatures": rate_per_s(bare),
        }
        if others is not None:
            rates |= others.ask(
                presentations=of.presentations, jwk=ISSUER_KEY.jwk, anchors=of.anchors, nonce=NONCE, audience=AUDIENCE,
                vct=VCT, now=NOW_S, skew=300, of=of.peers, rounds=1, count=COUNT,
            )  # fmt: skip
        for name, rate in rates.items():
            best[name] = max(best.get(name, 0.0), rate)


def key_signature(token: str) -> bytes:
    """The bytes after the last dot."""
    return decode_base64url(token.rpartition(".")[2], "signature", 64)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    run(Console(), parser.parse_args())
