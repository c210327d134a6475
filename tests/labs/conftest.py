"""What asks the real model for long is slow."""

import pytest

ASKS_THE_MODEL = {
    "make_it_say",
    "say_the_word",
    "break_the_copy",
    "few_keys",
    "say_it_within_limits",
}


@pytest.hookimpl(tryfirst=True)  # before those that are slow are left out
def pytest_collection_modifyitems(items):
    """Leave the quick tests one answer to each exercise that the real model judges."""
    for item in items:
        name = item.callspec.params.get("name") if hasattr(item, "callspec") else None
        if name in ASKS_THE_MODEL and item.originalname != "test_the_folded_solution_passes":
            item.add_marker(pytest.mark.slow)
