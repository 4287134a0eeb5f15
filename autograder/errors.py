"""The errors that a grader may see; each carries one sentence saying what, where and what to do."""


class AutograderError(Exception):
    """Base of the family; the command line prints its sentence and ends with status 1."""


class AssignmentError(AutograderError):
    """The assignment's settings are missing or do not fit together."""


class SubmissionError(AutograderError):
    """A submission cannot be read as a notebook of this assignment."""


class KernelFailed(AutograderError):
    """No kernel could be started, or it broke before the first cell of the student."""


class EvidenceError(AutograderError):
    """What a run left behind is not evidence of the declared form."""


class ReleaseError(AutograderError):
    """The student version cannot be made, or is not what the source makes."""


class DataError(AutograderError):
    """The data files are missing, truncated or not of the form that the lab needs."""
