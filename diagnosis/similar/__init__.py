"""Confirmed cases that look like a photograph: see docs/understand/network.md."""
