"""A model of matching: its schema, its fingerprint, and the frequencies frozen with it."""
