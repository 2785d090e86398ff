"""Frozen settings, validated once. An unknown key is an error that names it."""
