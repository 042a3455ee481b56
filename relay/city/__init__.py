"""The city: hub, chains of several kinds, a signed log and a relay on one machine, as a person would start them."""
