"""`python -m bench identity issue`: credentials signed, beside openvc-core and a bare signature.

An SD-JWT VC of eight hidden claims under one certificate: ours with its status, its log entry and salts drawn by the system; the
same with the seal beside it; and a batch of one hundred one-time credentials from the text of their key proofs to credentials,
without HTTP and disk. Rates are of processor time on one core, the best of some rounds that take turns.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hutong.light_clients.attestation import sign_digest
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.keys import Signer as Account
from hutong.relay.services.identity.daemon.token_key import TokenKeyInMemory
from hutong.relay.services.identity.issuer.credentials import CredentialMaker, Place, SealKey, validity_from
from hutong.relay.services.identity.issuer.keys import account_thumbprint, credential_key_of
from hutong.relay.services.identity.issuer.list_book import ListBook
from hutong.relay.services.identity.issuer.settings import ClaimConfig, CredentialConfig
from hutong.relay.services.identity.rules.jose import VerificationKey, encode_base64url
from hutong.relay.services.identity.rules.jose.certificates import chain_well_formed, leaf_key_is_p256
from hutong.relay.services.identity.rules.openid4vci.key_proofs import ProofDemand, judge_proofs
from hutong.relay.services.identity.rules.sd_jwt.policy import Clock
from hutong.relay.services.identity.rules.seals.seal import typed_digest
from tests.nodes.provision import python_peers
from tests.relay.services.identity.certificates import AUTHORITY_KEY, certify, der_text, key_of
from tests.relay.services.identity.issuer.issuer_world import BASE, signed
from tests.relay.services.identity.rules.actors import ISSUER_KEY, NOW_S, Signer

TURNS, COUNT, BATCH = 12, 200, 100
PEER = Path(__file__).with_name("peer.py")
NAMES = ("given_name", "family_name", "birth_date", "street", "locality", "postal_code", "nationality", "age_over_18")
CLAIMS = dict(
    zip(NAMES, ("Erika", "Mustermann", "1984-01-26", "Heidestraße 17", "Köln", "51147", "DE", True), strict=True)
)
VCT = "https://credentials.example/residence"


def run(console: Console, arguments: argparse.Namespace) -> None:
    """Rates of each, and ours over each; then the batch."""
    best = take_turns(None if arguments.no_peers else running_peer())
    table = Table(title="an SD-JWT VC of eight hidden claims under one certificate", title_justify="left")
    for name in ("issuer", "per second", "ours over it"):
        table.add_column(name, justify="left" if name == "issuer" else "right")
    for name, rate in best.items():
        if name != "batch":
            table.add_row(name, f"{rate:,.0f}", f"{best['ours'] / rate:.2f}")
    console.print(table)
    console.print(f"a batch of {BATCH} with their key proofs: {best['batch'] * 1_000:.1f} ms of processor time")


def maker(*, is_sealed: bool) -> CredentialMaker:
    """The issuer of the bench."""
    key = key_of(ISSUER_KEY.secret)
    x5c = [der_text(certify("city", key.public_key(), by="authority", key=AUTHORITY_KEY, uri=BASE))]
    certified = leaf_key_is_p256(chain_well_formed(list(x5c)).leaf)
    credential_key = credential_key_of(certified, tuple(x5c), TokenKeyInMemory(key))
    secret = (0x5EA1).to_bytes(32, "big")

    def sign_seal(domain_separator: bytes, struct_hash: bytes) -> bytes:
        return sign_digest(secret, typed_digest(domain_separator, struct_hash))

    thumbprint = account_thumbprint(Account.in_memory(secret))
    seal = SealKey(sign_seal, thumbprint, b"\x11" * 32) if is_sealed else None
    return CredentialMaker(BASE, credential_key, seal, os.urandom)


def kind() -> CredentialConfig:
    claims = tuple(ClaimConfig(name=name) for name in NAMES)
    return CredentialConfig(
        id="residence", vct=VCT, name="Residence", claims=claims, schema_hash="sha256:" + "44" * 32, copies=1_000
    )


def take_turns(peer: "subprocess.Popen[str] | None") -> dict[str, float]:
    """The best round of each; of `batch` the fewest seconds."""
    config, validity = kind(), validity_from(NOW_S, 30)
    holder, plain, sealed = Signer(0xB0B).public, maker(is_sealed=False), maker(is_sealed=True)
    place, account = Place(0, 41, f"{BASE}/status/0"), b"\x22" * 20
    message, key = b"x" * 700, plain.key
    proofs, demand = batch_of_proofs()
    best: dict[str, float] = {}

    def keep(name: str, found: float, better: Callable[[float, float], float] = max) -> None:
        best[name] = found if name not in best else better(best[name], found)

    for _ in range(TURNS):
        keep("ours", rate_per_s(lambda: plain.make(config, CLAIMS, holder, place, validity)))
        keep("ours with the seal", rate_per_s(lambda: sealed.make(config, CLAIMS, holder, place, validity, account)))
        keep("one bare ES256 signature", rate_per_s(lambda: key.sign(message)))
        if peer is not None and peer.stdin is not None and peer.stdout is not None:
            peer.stdin.write("again\n")
            peer.stdin.flush()
            keep("openvc-core", float(peer.stdout.readline()))
        started = time.process_time()
        issue_batch(plain, config, proofs, demand)
        keep("batch", time.process_time() - started, min)
    if peer is not None:
        peer.kill()
    return best


def issue_batch(of: CredentialMaker, config: CredentialConfig, proofs: list[str], demand: ProofDemand) -> list[str]:
    """What the credential end point does with a hundred proofs, but for HTTP, token and disk."""
    book = ListBook(os.urandom)
    book.add(0, 2**20, is_open=True)
    keys: tuple[VerificationKey, ...] = judge_proofs(VERIFY, {"jwt": list(proofs)}, demand).keys
    validity, issued = validity_from(NOW_S, 30), []
    for key in keys:
        number, index = book.draw()
        place = Place(number, index, f"{BASE}/status/{number}")
        issued.append(of.make(config, CLAIMS, key, place, validity).credential)
    return issued


def batch_of_proofs() -> tuple[list[str], ProofDemand]:
    """A hundred wallets' keys, each with its proof."""
    proofs = []
    for number in range(BATCH):
        key = Signer(0xC000 + number)
        claims = {"aud": BASE, "iat": NOW_S, "nonce": "n-0S6_WzA2Mj"}
        proofs.append(signed(key, {"typ": "openid4vci-proof+jwt", "jwk": key.jwk}, claims))
    return proofs, ProofDemand(BASE, {"n-0S6_WzA2Mj"}, None, Clock(NOW_S))


def running_peer() -> "subprocess.Popen[str]":
    """openvc-core in a Python of its own: a rate for each line that it is sent."""
    key = key_of(ISSUER_KEY.secret)
    jwk = {**ISSUER_KEY.jwk, "d": encode_base64url(ISSUER_KEY.secret.to_bytes(32, "big"))}
    chain = der_text(certify("city", key.public_key(), by="authority", key=AUTHORITY_KEY, uri=BASE))
    question = {"jwk": jwk, "x5c": [chain], "claims": CLAIMS, "issuer": BASE, "vct": VCT, "count": COUNT}
    question["holder"] = Signer(0xB0B).jwk
    process = subprocess.Popen(
        [str(python_peers()), str(PEER)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if process.stdin is None:
        raise RuntimeError("the process was started with pipes")
    process.stdin.write(json.dumps(question) + "\n")
    process.stdin.flush()
    return process


def rate_per_s(function: Callable[[], object]) -> float:
    """Of `COUNT` calls, as the other is timed."""
    started = time.process_time()
    for _ in range(COUNT):
        function()
    return COUNT / (time.process_time() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["issue"])
    parser.add_argument("--no-peers", action="store_true")
    run(Console(), parser.parse_args(sys.argv[1:]))
