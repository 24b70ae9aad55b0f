"""The carving's only error: the photos cannot become a model, and the message says which photo and why."""


class CarvingError(Exception):
    """`str()` is a sentence for the user; `code` is a word for programs."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
