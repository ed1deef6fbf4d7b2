"""Measure slowping against baselines in one run: `make bench`.

Only ratios mean something: machines differ and are noisy. Each subject is measured in
interleaved rounds by the same load generator, and the median of the rounds counts.
"""
