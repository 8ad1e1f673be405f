"""Views of the clinic's lists, search and forms. The pages of one patient, visit or lesion are in ``diagnosis``."""
