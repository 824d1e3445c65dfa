"""The way of a resident: arrival from a NAS, terms, acceptance, hand-off, status."""
