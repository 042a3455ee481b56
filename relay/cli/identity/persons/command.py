"""`hutong identity person` and `shard`: persons of a registrar, by themselves, by their guardians, or by the registrar."""

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.identity.persons.asking import apply, fetch, receipt, renew
from hutong.relay.cli.identity.persons.changes import approve, cancel, complete, recover, rotate
from hutong.relay.cli.identity.persons.people import check, enrol, follow, prove, register
from hutong.relay.cli.identity.persons.service_recovery import finish, plead, stop, vouch

person = command_group("Persons of a registrar: register, prove, rotate, recover.")
shard = command_group("A registrar's shards, kept from a hub's blocks.")

person.command()(enrol)
person.command()(register)
person.command()(prove)
person.command()(check)
person.command()(rotate)
person.command()(approve)
person.command()(recover)
person.command()(cancel)
person.command()(complete)
person.command()(apply)
person.command()(receipt)
person.command()(fetch)
person.command()(renew)
person.command()(vouch)
person.command()(plead)
person.command()(stop)
person.command()(finish)
shard.command()(follow)
