"""`hutong wallet`: accept credentials, show what is held, present it to verifiers and contracts."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.wallet.accepting import accept
from hutong.relay.cli.wallet.codes import qr
from hutong.relay.cli.wallet.collecting import collect, pending
from hutong.relay.cli.wallet.contracts import present_contract
from hutong.relay.cli.wallet.holding import export, forget, list_command, show
from hutong.relay.cli.wallet.making import init
from hutong.relay.cli.wallet.presenting import present

app = command_group("Credentials in your hands: accept, show, present.")


@app.callback()
def wallet_group() -> None:
    """A wallet of credentials: 0 done and good, 1 judged and refused, 2 unusable input."""


app.command()(init)
app.command()(accept)
app.command()(pending)
app.command()(collect)
app.command("list")(list_command)
app.command()(show)
app.command()(present)
app.command("present-contract")(present_contract)
app.command()(export)
app.command()(forget)
app.command()(qr)
