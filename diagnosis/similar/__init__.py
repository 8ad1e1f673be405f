"""Confirmed cases that look similar to a photograph: see research/similar_cases.md."""
