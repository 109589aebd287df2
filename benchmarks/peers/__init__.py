"""Loccit beside others: the same passages, encoder, language model, questions and threads, each system as it comes.

``python -m benchmarks.peers run NAME`` makes an environment for the peer and measures it. docs/comparison.md has the
figures.
"""
