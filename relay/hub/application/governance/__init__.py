"""Governance by the validators: operators propose and vote, more than two thirds of the power decide (docs/spec/hub-governance.md)."""
