"""The clinic's lists, search and forms. The pages of one patient, visit or lesion are put together in diagnosis."""
