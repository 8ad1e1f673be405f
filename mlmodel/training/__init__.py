"""The training room: nothing here is imported where photographs are answered."""
