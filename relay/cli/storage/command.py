"""`hutong storage`: objects over many operators, and the operators themselves."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.storage.audit_contract import deploy_audit
from hutong.relay.cli.storage.auditor import app as auditor
from hutong.relay.cli.storage.demo import demo
from hutong.relay.cli.storage.gateway import app as gateway
from hutong.relay.cli.storage.objects import get, ls, mb, put, rm, status
from hutong.relay.cli.storage.operator import app as operator
from hutong.relay.cli.storage.repairer import app as repairer
from hutong.relay.cli.storage.verdict import claim, verdict

app = command_group("Trusted storage: shards of objects over operators that prove what they hold.")


@app.callback()
def storage_group() -> None:
    """Trusted storage: 0 done and good, 1 judged and refused, 2 unusable input."""


app.add_typer(operator, name="operator")
app.add_typer(gateway, name="gateway")
app.command()(mb)
app.command()(put)
app.command()(get)
app.command()(ls)
app.command()(rm)
app.command()(status)
app.add_typer(auditor, name="auditor")
app.add_typer(repairer, name="repairer")
app.command()(deploy_audit)
app.command()(verdict)
app.command()(claim)
app.command()(demo)
