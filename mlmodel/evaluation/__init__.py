"""How good a network is: every figure worked out once, for the report and for the model card.

``evaluation_facts`` gives JSON-ready facts, ``write_report`` makes the page of them, ``card_facts`` the card. Needs
SciPy, and neither Django nor TensorFlow.
"""
