from __future__ import annotations

from scripts.template.check import ROOT
from scripts.template.ros import read_template
from shared.pipeline.loans.questions import MOST_BYTES_ON_DISK
from shared.pipeline.reuse.known_answers import MAX_ANSWERS
from shared.pipeline.validate.dropped_file import MAX_COPIED_BYTES
from shared.results.kept_rows import DIGEST_BYTES


def test_a_table_and_the_digests_of_two_kinds_of_questions_fit_on_the_disk_of_validate() -> None:
    validate = read_template(ROOT / "template.yaml")["Resources"]["Validate"]["Properties"]

    most = MAX_COPIED_BYTES + MOST_BYTES_ON_DISK + MAX_ANSWERS * DIGEST_BYTES

    assert most < validate["DiskSize"] * 1_000_000
