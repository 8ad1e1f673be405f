"""Second opinions: a lesion is shown to a colleague, or to a doctor outside the clinic, whose answer is a review."""
