"""Estimating a model from pairs without labels: sampled pairs, counted patterns, expectation-maximisation."""
