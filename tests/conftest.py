import os

from hypothesis import settings

# In CI the same examples each time: a new one that fails is for a person to find, at home.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
