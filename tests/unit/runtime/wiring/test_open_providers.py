from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.problems.exceptions import ConfigurationError
from shared.runtime.settings import Settings
from shared.runtime.wiring.open_providers import open_providers

PLACE = {"BUCKET_NAME": "b", "OSS_ENDPOINT": "http://127.0.0.1:1", "OSS_REGION": "cn-beijing"}

# No server listens: the first question is answered by an error of the SDK that it has loaded.
ASK = """
import sys
from shared.ports.provider import BatchId
from shared.problems.exceptions import TransientError
from shared.runtime.wiring.open_providers import open_providers
from shared.runtime.settings import Settings
url = "http://127.0.0.1:1/v1"
provider = open_providers(Settings.from_env({**eval(sys.argv[1]), "DASHSCOPE_API_KEY": "k", "DASHSCOPE_BASE_URL": url})).of("bailian").batches
before = "openai" in sys.modules
try:
    provider.status(BatchId("batch_1"))
except TransientError:
    print(before, "openai" in sys.modules)
"""


def test_a_missing_key_is_told_before_any_work_although_the_provider_is_loaded_later():
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY is missing"):
        open_providers(Settings.from_env(PLACE))


def test_the_providers_sdk_is_loaded_with_the_first_question():
    command = [sys.executable, "-c", ASK, repr(PLACE)]

    answer = subprocess.run(
        command, cwd=Path(__file__).parents[4], capture_output=True, text=True, check=False
    )

    assert answer.stdout == "False True\n", answer.stderr
