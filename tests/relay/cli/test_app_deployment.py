"""`hutong deploy --app` and `hutong path create --title --swap` through the command line: applications, ports and roles."""

import json
from contextlib import ExitStack

import pytest
from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.rights_reading import application_of
from hutong.adapters.evm.administration.transfer import HUB_CLIENT_ID
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.contracts.apps import App, in_creation_order
from hutong.contracts.artifacts import load_artifact
from tests.relay.cli.chains.hub_and_chain import Place
from tests.relay.cli.chains.test_roles_command import CHAIN_ID, running

PAUSE = Function("pause", ())


def test_applications_are_created_in_one_order():
    assert in_creation_order([App.ANCHOR, App.TITLE, App.ANCHOR]) == (App.TITLE, App.ANCHOR)
    assert [app for app in App if app.has_port] == [App.TITLE, App.SWAP]
    assert all(load_artifact(app.artifact).bytecode for app in App)


@pytest.mark.long
@pytest.mark.trio
async def test_applications_get_their_ports_and_their_own_roles(tmp_path):
    async with running(tmp_path) as setting:
        contracts = await setting.deployed(apps=("anchor", "swap", "title", "feed", "title"))
        assert list(contracts)[4:] == ["title", "swap", "feed", "anchor", "height"]
        router = to_canonical_address(contracts["router"])
        for app in App:
            address = to_canonical_address(contracts[app.value])
            assert (
                await setting.execution.code(address) == load_artifact(app.artifact).deployed_bytecode or app.has_port
            )
            assert await application_of(setting.execution, router, app.value) == (address if app.has_port else None)
        text = setting.out.read_text()
        assert all((f'{app.value} = "{contracts[app.value]}"' in text) is app.has_port for app in App)
        assert '[functions.swap]\n"pause()" = "pauser"\n"unpause()" = "unpauser"' in text
        assert '"setCustodyLimit(string,uint64)" = "limiter"' in text
        code, said, _ = await setting.check()
        assert code == 0 and "6 contracts" in said
        title = to_canonical_address(contracts["title"])
        await setting.transactor("pauser").send(title, PAUSE.encode())
        with pytest.raises(RefusedByChain, match="AccessManagedUnauthorized"):
            await setting.transactor("stranger").send(to_canonical_address(contracts["swap"]), PAUSE.encode())
        again = tmp_path / "again.toml"
        shown = ("roles", "show", "--rpc", setting.url, "--chain-id", str(CHAIN_ID), "--router", contracts["router"])
        await setting.command(*shown, "--from-height", str(contracts["height"]), "--out", str(again))
        assert again.read_text() == text
        setting.out.write_text(text.replace('"setCustodyLimit(string,uint64)" = "limiter"', ""))
        code, said, _ = await setting.check()
        assert (
            code == 1 and "functions.title.setCustodyLimit(string,uint64): the file says admin, limiter stands" in said
        )


@pytest.mark.long
@pytest.mark.trio
async def test_audit_H4_a_deployment_with_applications_goes_on_where_it_broke_off(tmp_path, monkeypatch):
    async with running(tmp_path) as setting:
        original = Transactor.send_all

        async def breaks_off(self, calls, first_nonce=None):
            await original(self, calls[:5], first_nonce)
            raise RefusedByChain("broke off", "the process died here")

        monkeypatch.setattr(Transactor, "send_all", breaks_off)
        code, _, error = await setting.command(*setting.deploy_options(apps=("title", "anchor")))
        assert code == 1 and "the process died here" in error
        monkeypatch.setattr(Transactor, "send_all", original)
        for apps in (("title",), (), ("title", "swap")):
            code, _, error = await setting.command(*setting.deploy_options(apps=apps))
            assert code == 2 and "the interrupted deployment had another apps" in error
        code, output, error = await setting.command(*setting.deploy_options(apps=("anchor", "title")), "--json")
        assert code == 0 and "5 of 6 contracts stand" in error, error
        assert (await setting.check())[0] == 0
        assert await setting.execution.code(to_canonical_address(json.loads(output)["anchor"]))


@pytest.mark.long
@pytest.mark.trio
async def test_a_journal_from_before_applications_goes_on(tmp_path, monkeypatch):
    async with running(tmp_path) as setting:
        monkeypatch.setattr("hutong.relay.cli.chains.deploy._publish", lambda *_: (_ for _ in ()).throw(SystemExit(9)))
        assert (await setting.command(*setting.deploy_options()))[0] == 9
        monkeypatch.undo()
        journal = json.loads(setting.out.with_name(f"{setting.out.name}.unfinished").read_text())
        assert set(journal) == {"chain_id", "deployer", "forward_margin_s", "plan", "beginning"}
        code, output, _ = await setting.command(*setting.deploy_options(), "--json")
        assert code == 0
        assert list(json.loads(output)) == ["access_manager", "router", "mailbox", "transfer", "height"]
        code, said, _ = await setting.command(*setting.deploy_options(out=str(tmp_path / "o"), apps=("bridge",)))
        assert code == 2


@pytest.mark.long
def test_a_path_names_the_hubs_client_in_titles_and_swaps(tmp_path):
    """Over processes of a hub and of a chain."""

    class Applied(Place):
        apps = ("title", "swap")

    with ExitStack() as stack:
        place = Applied(tmp_path, stack)
        named = [word for app in Applied.apps for word in (f"--{app}", place.deployment[app])]
        made = place.create("--yes", *named)
        assert made.exit_code == 0, made.output
        path = json.loads(made.stdout)
        client = next(end["client"] for end in (path["a"], path["b"]) if end["chain"] == "alpha")
        for app in Applied.apps:
            word = place.rpc(
                "alpha",
                "eth_call",
                {"to": place.deployment[app], "data": f"0x{HUB_CLIENT_ID.encode().hex()}"},
                "latest",
            )
            assert bytes.fromhex(word[2:])[64:].rstrip(b"\0").decode() == client
