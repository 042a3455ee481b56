"""Options that commands of several groups have, with one name and one help text each."""

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", help="The relay's TOML file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Keystore = Annotated[
    Path, typer.Option(help="V3 keystore of the account that signs and pays, or a key file (.toml, docs/keys.md).")
]
PasswordFile = Annotated[Path | None, typer.Option(help="File with the keystore's password, mode 0600.")]
PasswordEnv = Annotated[str | None, typer.Option(help="Environment variable with the keystore's password.")]
HubName = Annotated[str | None, typer.Option(help="Name of the hub; unneeded if there is one.")]
HubAdmins = Annotated[
    list[Path],
    typer.Option("--hub-admin", help="Keystore or key file (.toml) of a hub admin; as many as the threshold asks for."),
]
HubAdminPasswordFiles = Annotated[
    list[Path],
    typer.Option(
        "--hub-admin-password-file", help="Its password; one for each --hub-admin that is a keystore, in order."
    ),
]
DecideAs = Annotated[
    str | None,
    typer.Option(
        help="Account whose right it is, such as a multisig: its calls are printed for it to send, and nothing that it decides"
        " is signed here."
    ),
]
HostChain = Annotated[str, typer.Option(help="Chain on which the client lives.")]
HostedClient = Annotated[str, typer.Option(help="Its identifier there.")]
EvmChainName = Annotated[str, typer.Option(help="Name of the EVM chain in the configuration.")]
NewHome = Annotated[Path, typer.Option(help="The directory to fill; an initialised one is never changed.")]
