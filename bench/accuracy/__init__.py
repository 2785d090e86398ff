"""Accuracy on openly available labelled person files, and on a made-up force: docs/accuracy.md."""
