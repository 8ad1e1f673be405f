from mlmodel.datasets.tables import DataError


class EvaluationError(DataError):
    """The input cannot be evaluated; the message says what is wrong and what to do."""
