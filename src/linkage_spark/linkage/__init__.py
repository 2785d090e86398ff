"""Pairs of persons: blocking, comparison, scoring, decision, evidence."""
