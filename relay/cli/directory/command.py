"""`hutong directory`: entries of the data directory, and the policies under which data are shared."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.directory.entry import catalogue, entry
from hutong.relay.cli.directory.index import app as index
from hutong.relay.cli.directory.on_hub import check_page, head, page, publish, show, withdraw
from hutong.relay.cli.directory.policy import app as policy
from hutong.relay.cli.directory.serve import operator_key, serve, token

app = command_group("The data directory: entries on record, and policies under which data are shared.")


@app.callback()
def directory_group() -> None:
    """Entries on a hub; entries, pages and policies judged on this machine: 0 done and good, 1 refused, 2 unusable input."""


app.add_typer(entry, name="entry")
app.add_typer(catalogue, name="catalogue")
app.add_typer(policy, name="policy")
app.add_typer(index, name="index")
app.command("serve")(serve)
app.command("operator-key")(operator_key)
app.command("token")(token)
app.command()(publish)
app.command()(withdraw)
app.command()(show)
app.command()(head)
app.command()(page)
app.command("check-page")(check_page)
