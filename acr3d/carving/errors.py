"""The one error of the carving: its input cannot become a model; the sentence says which photo and why."""


class CarvingError(Exception):
    """`str()` is a sentence for a person; `code` is a word for a program."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
