"""The hub's `transfer` port: ICS-20 v2 with escrow per client and denomination (docs/spec/hub-transfer.md)."""
