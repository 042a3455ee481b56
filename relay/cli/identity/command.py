"""`hutong identity`: identifiers, and credentials that organisations issue and people present."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.identity.accredit import accredit, deactivate, withdraw
from hutong.relay.cli.identity.bundle import acceptances, bundle
from hutong.relay.cli.identity.cache import caches, deploy_cache, sync
from hutong.relay.cli.identity.controllers import controllers, recovery
from hutong.relay.cli.identity.credential import credential
from hutong.relay.cli.identity.demo import demo
from hutong.relay.cli.identity.department.api_keys import app as api_keys
from hutong.relay.cli.identity.department.issue import issue, release, revoke
from hutong.relay.cli.identity.department.lists import lists, log
from hutong.relay.cli.identity.department.statements import anchor, document, schema
from hutong.relay.cli.identity.export import app as export
from hutong.relay.cli.identity.keys import app as keys
from hutong.relay.cli.identity.persons.command import person, shard
from hutong.relay.cli.identity.query import query
from hutong.relay.cli.identity.records import check, prove
from hutong.relay.cli.identity.register import jwk, register
from hutong.relay.cli.identity.request import request
from hutong.relay.cli.identity.resolve import resolve_command
from hutong.relay.cli.identity.serve import serve
from hutong.relay.cli.identity.status import status
from hutong.relay.cli.identity.verify import verify

app = command_group("Identifiers, and credentials that organisations issue and people present.")


@app.callback()
def identity_group() -> None:
    """Identifiers and credentials: 0 done and good, 1 judged and refused, 2 unusable input."""


app.command()(serve)
app.command()(issue)
app.command()(release)
app.command()(revoke)
app.add_typer(api_keys, name="api-key")
app.command()(request)
app.command()(verify)
app.command()(status)
app.command("resolve")(resolve_command)
app.command()(query)
app.command()(prove)
app.command()(check)
app.command()(bundle)
app.command()(acceptances)
app.command()(register)
app.command()(jwk)
app.command()(accredit)
app.command()(withdraw)
app.command()(deactivate)
app.command()(document)
app.command()(schema)
app.command()(anchor)
app.add_typer(keys, name="key")
app.add_typer(export, name="export")
app.add_typer(controllers, name="controllers")
app.add_typer(recovery, name="recovery")
app.add_typer(lists, name="list")
app.add_typer(log, name="log")
app.add_typer(person, name="person")
app.add_typer(shard, name="shard")
app.command()(credential)
app.command()(deploy_cache)
app.command()(sync)
app.command()(caches)
app.command()(demo)
