"""Evaluation of a network: every metric is calculated once, for the report and the model card.

``evaluation_facts`` returns JSON-ready facts, and ``card_facts`` prepares the card. Needs neither Django nor
TensorFlow.
"""
