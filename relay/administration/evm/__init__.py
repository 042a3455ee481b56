"""Acts on the contracts of an EVM chain: deployed, their roles read, their Mailbox and Transfer."""
