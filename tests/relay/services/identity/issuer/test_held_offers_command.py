"""`hutong identity issue --hold` and `release`, beside the daemon of the same file."""

import json
from types import SimpleNamespace

from hutong.relay.cli.identity.department import issue as department
from tests.relay.cli.audit.without_network import within_this_process
from tests.relay.services.identity.issuer.issuer_world import issuing
from tests.relay.services.identity.issuer.test_deferring import later
from tests.relay.services.identity.rules.actors import NOW_S


async def test_a_department_holds_at_a_terminal_and_releases_there(tmp_path, monkeypatch):
    monkeypatch.setattr(department, "time", SimpleNamespace(time=lambda: NOW_S))
    (tmp_path / "claims.json").write_text('{"given_name": "Erika"}')
    file = str(tmp_path / "identity.toml")

    def run(*words, code=0):
        done = within_this_process("identity", *words)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout

    async with issuing(tmp_path) as world:
        offered = ("issue", "--config", file, "--type", "residence", "--claims", str(tmp_path / "claims.json"))
        run(*offered, "--hold", code=2)
        offer = json.loads(run(*offered, "--hold", "--reference", "case-7", "--no-transaction-code"))
        wallet = world.wallet
        token = (await wallet.token(offer)).json()["access_token"]
        proofs = {"jwt": [wallet.proof(await wallet.nonce())]}
        answer = await wallet.ask(token, {"credential_configuration_id": "residence", "proofs": proofs})
        transaction = {"transaction_id": answer.json()["transaction_id"]}
        assert (await later(world, token, transaction)).status_code == 202
        run("release", "--config", file, "--reference", "case-8", code=1)
        assert json.loads(run("release", "--config", file, "--reference", "case-7", "--json")) == {"released": 1}
        assert len((await later(world, token, transaction)).json()["credentials"]) == 1
        run("release", "--config", file, "--reference", "case-7", code=1)
        run("release", "--config", file, "--reference", "a b", code=2)
