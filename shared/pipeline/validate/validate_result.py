"""What was done for one upload."""

from __future__ import annotations

from enum import Enum

from shared.pipeline.jobs.resume_job import ResumeResult


class ValidateResult(str, Enum):
    """What was done for one upload, in one word for the log."""

    PLANNED = "planned"
    REJECTED = "rejected"
    RECIPE = "recipe"
    APPROVED = "approved"
    HIDDEN = "hidden"
    GONE = "gone"
    REPLACED = "replaced"
    SAMPLING = "sampling"  # another run asks its sample, and goes on then


# The same file dropped again resumes its job.
Validated = ValidateResult | ResumeResult
