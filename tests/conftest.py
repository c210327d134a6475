import os

import pytest
import torch
from hypothesis import settings

# In CI the same examples each time: a new one that fails is for a person to find, at home.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def threads():
    """A cell of a notebook that fixes the number of threads fixes it for its own test only."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
