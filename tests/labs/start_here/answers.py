"""Right answers, and wrong ones with what must be said of them."""

import torch

RIGHT = {
    "strongest_key": [1.0, 1, torch.tensor([1.0, 3, 2]).argmax()],
}


WRONG = {
    "strongest_key": [
        (2, "key 2 has the score 2"),
        (3, "3 is the score"),
        (0, "key 0 does not have the largest score"),
        ("one", "write one number"),
        (True, "write one number"),
    ],
}
