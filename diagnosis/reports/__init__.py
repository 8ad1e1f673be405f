"""A visit as a report: its content as plain data, and that content as a PDF."""
