"""Whether a credential or a seal is to be accepted, by a hub's proven records: the same rules for a verifier, a gate and an auditor."""
