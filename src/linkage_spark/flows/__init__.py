"""Compositions: frames in and frames out, no I/O."""
