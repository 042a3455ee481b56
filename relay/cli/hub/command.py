"""`hutong hub`: a validator of the hub chain."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.hub.candidate import candidate, rotate_key
from hutong.relay.cli.hub.code import code, name_contract, name_deployer, schedule_rules, set_code
from hutong.relay.cli.hub.directory import directory_publisher, set_directory
from hutong.relay.cli.hub.evidence import evidence
from hutong.relay.cli.hub.governance import execute, members, proposals
from hutong.relay.cli.hub.identity import accredit_root, set_identity
from hutong.relay.cli.hub.node.abci import abci
from hutong.relay.cli.hub.node.backup import backup, restore, rollback
from hutong.relay.cli.hub.node.init import init
from hutong.relay.cli.hub.node.join import join
from hutong.relay.cli.hub.node.key import app as key_app
from hutong.relay.cli.hub.node.network import app as network_app
from hutong.relay.cli.hub.node.restart import restart
from hutong.relay.cli.hub.node.signer import app as signer_app
from hutong.relay.cli.hub.node.skip import app as skip_app
from hutong.relay.cli.hub.node.snapshot import app as snapshot_app
from hutong.relay.cli.hub.node.start import start
from hutong.relay.cli.hub.node.status import status
from hutong.relay.cli.hub.observations import name_writer, observations, set_observations
from hutong.relay.cli.hub.pause import pause, resume
from hutong.relay.cli.hub.propose import app as propose_app
from hutong.relay.cli.hub.storage import set_storage, storage, storage_operator, storage_party, storage_state
from hutong.relay.cli.hub.stuck import stuck
from hutong.relay.cli.hub.validators import set_validator, validators
from hutong.relay.cli.hub.vote import vote

app = command_group("A validator of the hub chain.")
app.command()(abci)
app.command()(evidence)
app.command()(join)
app.command()(backup)
app.command()(restore)
app.command()(rollback)
app.command()(pause)
app.command()(resume)
app.command()(validators)
app.command()(set_validator)
app.command()(status)
app.command()(code)
app.command()(set_code)
app.command()(name_deployer)
app.command()(name_contract)
app.command()(observations)
app.command()(set_observations)
app.command()(name_writer)
app.command()(accredit_root)
app.command()(set_identity)
app.command()(storage)
app.command()(storage_operator)
app.command()(storage_state)
app.command()(storage_party)
app.command()(set_storage)
app.command()(directory_publisher)
app.command()(set_directory)
app.command()(schedule_rules)
app.command()(vote)
app.command()(execute)
app.command()(proposals)
app.command()(members)
app.command()(candidate)
app.command()(rotate_key)
app.command()(restart)
app.command()(init)
app.command()(start)
app.command()(stuck)
app.add_typer(propose_app, name="propose")
app.add_typer(network_app, name="network")
app.add_typer(snapshot_app, name="snapshot")
app.add_typer(key_app, name="key")
app.add_typer(signer_app, name="signer")
app.add_typer(skip_app, name="skip")
