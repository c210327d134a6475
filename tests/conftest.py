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
    """One thread, as in the notebooks; what a test fixes is fixed for itself only.

    Two workers with two threads each on two cores wait for each other, up to ten times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
