"""Confirmed cases that look like a photograph: see docs/similar_cases.md."""
