"""What to do about a chain's refusal, for the person whose act was refused."""

from hutong.adapters.interface import RefusedByChain

REMEDIES = {
    "NotAnOperator": "only the operator account of a validator decides: hutong hub members lists them",
    "NotAnAdmin": "only the hub's admins decide that; where its validators govern, hutong hub propose",
    "InsufficientExecutionGas": "another vote came in between and this one now decides: run the command again",
    "ActionRefused": "the hub's admins decide together: name as many different ones with --hub-admin as its threshold asks for",
    "AccessManagedUnauthorized": "this account may not decide that there: use the keystore of the one that may, which the file of"
    " hutong deploy --out names; after --development the one that deployed the contracts. Where it is a multisig, --decide-as ADDRESS prints its calls:"
    " of path create, peer, client recover and transfer limits set",
}
"""What to do about a refusal, by the name of the contract's error."""


def sentence_of(error: BaseException) -> str:
    """What an act ended with, and what to do about it where that is known."""
    said = str(error)
    name = said.partition(":")[0]
    if isinstance(error, RefusedByChain) and name in REMEDIES:
        return f"the chain refused it ({said}); {REMEDIES[name]}"
    return said
