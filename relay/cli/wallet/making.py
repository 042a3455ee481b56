"""`hutong wallet init`: a new wallet, and whom it trusts."""

from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.refusal import refusing
from hutong.relay.cli.wallet.opening import WalletOptions


def init(
    wallet: WalletOptions,
    issuers: Annotated[
        Path | None, typer.Option(help="PEM file: authorities that certify the issuers you trust.")
    ] = None,
    issuer_keys: Annotated[
        Path | None, typer.Option(help="JWK or JWK set of issuers that bring no certificate.")
    ] = None,
    verifiers: Annotated[
        Path | None, typer.Option(help="PEM file: authorities that certify the verifiers who may ask you.")
    ] = None,
    tls: Annotated[Path | None, typer.Option(help="PEM file: authorities of HTTPS besides this machine's.")] = None,
) -> None:
    """Make a wallet. It takes credentials of issuers, and answers verifiers, that these files certify, and no others.

    The files are copied into the wallet's folder, where you may change them later.
    """
    from hutong.relay.services.identity.wallet import Wallet, WalletUnusable
    from hutong.relay.services.identity.wallet.home import TrustFile

    given = {
        TrustFile.ISSUERS: issuers,
        TrustFile.ISSUER_KEYS: issuer_keys,
        TrustFile.VERIFIERS: verifiers,
        TrustFile.TLS: tls,
    }
    with refusing(WalletUnusable):
        Wallet.create(
            wallet.folder,
            wallet.password(is_new=True),
            {kind: path for kind, path in given.items() if path is not None},
        )
    typer.echo(f"made {wallet.home}")
    if issuers is None and issuer_keys is None:
        typer.echo("no issuer is trusted yet: put a file issuers.pem or issuer-keys.json there", err=True)
    if verifiers is None:
        typer.echo("no verifier is trusted yet: put a file verifiers.pem there", err=True)
