"""Truth in, precision and recall with intervals out; expected false links without truth."""
