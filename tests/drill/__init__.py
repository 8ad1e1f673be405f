"""The drill of a year: two clinics work through 2025, and nothing is forgotten or untraceable at its end."""
