"""Measurements: how fast the tool is on this machine, and beside its peers. Not part of the package."""
