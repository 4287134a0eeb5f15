"""Item data-details, with the checks that assignments share."""

from autograder.checks.data_details import *  # noqa: F403
