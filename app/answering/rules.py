"""The rules by which answers are read, chosen and quoted, as a number: what neither weights nor settings tell."""

RULES = 2
"""Counted up with each change that gives other answers or other features of them.

A calibrator applies to the rules that it was fitted with, and a run takes readings over from runs of the same rules
alone. 2: second quotes, ranks, sentences for what asks to explain. Before it was counted, it was 1.
"""
