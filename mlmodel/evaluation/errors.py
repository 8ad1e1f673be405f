from mlmodel.datasets.tables import DataError


class EvaluationError(DataError):
    """Something that was given cannot be evaluated; the message says what is wrong and what to do."""
