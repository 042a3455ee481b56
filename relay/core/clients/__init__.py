"""Light clients kept alive: updates, key rotations, evidence of misbehaviour, forks."""
