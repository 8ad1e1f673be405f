"""Evaluation of a network: every metric is calculated once, for the report and the model card.

``evaluation_facts`` returns JSON-ready facts, ``write_report`` renders them as a page and ``card_facts`` prepares the
card. Needs SciPy, but neither Django nor TensorFlow.
"""
