"""Right answers, and wrong ones with what must be said of them."""

import math

import torch
import torch.nn.functional as F

from attention_lab import attention


def by_folding(tokens, channels, height, width):
    size = int((tokens.shape[-1] // channels) ** 0.5)
    return F.fold(tokens.transpose(1, 2), (height, width), size, stride=size)


def by_loops(tokens, channels, height, width):
    size = math.isqrt(tokens.shape[-1] // channels)
    made = tokens.new_empty(len(tokens), channels, height, width)
    for at, token in enumerate(tokens.unbind(1)):
        top, left = at // (width // size) * size, at % (width // size) * size
        made[:, :, top : top + size, left : left + size] = token.view(-1, channels, size, size)
    return made


def columns_first(tokens, channels, height, width):
    size = math.isqrt(tokens.shape[-1] // channels)
    grid = tokens.unflatten(1, (width // size, height // size)).transpose(1, 2)
    return by_folding(grid.flatten(1, 2), channels, height, width)


def turned(tokens, channels, height, width):
    size = math.isqrt(tokens.shape[-1] // channels)
    inside = tokens.unflatten(-1, (channels, size, size)).mT.flatten(-3)
    return by_folding(inside, channels, height, width)


def channels_last(tokens, channels, height, width):
    inside = tokens.unflatten(-1, (-1, channels)).mT.flatten(-2)
    return by_folding(inside, channels, height, width)


def gated(squeeze=None, gate=torch.sigmoid, middle=torch.relu):
    squeeze = squeeze or (lambda x: x.mean(dim=(2, 3)))
    return lambda x, a, b: x * gate(middle(squeeze(x) @ a) @ b)[:, :, None, None]


def block(x, q, k, v, o, *, add=True, dim=-1, scaled=True, back=True):
    t = x.flatten(2).transpose(1, 2)
    scores = (t @ q) @ (t @ k).transpose(1, 2)
    if scaled:
        scores = scores / q.shape[1] ** 0.5
    y = scores.softmax(dim) @ (t @ v) @ o
    y = (y.transpose(1, 2) if back else y).reshape(x.shape)
    return x + y if add else y


def filter_scores(kernel, height, width, *, number=torch.log, line=False, far=-math.inf):
    n = height * width
    made = torch.full((n, n), far, dtype=kernel.dtype)
    for q in range(n):
        for k in range(n):
            down, right = k // width - q // width, k % width - q % width
            if max(abs(down), abs(right)) <= 1:
                made[q, k] = number(kernel)[down + 1, right + 1]
        if line:
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if 0 <= (at := q + down * width + right) < n:
                        made[q, at] = number(kernel)[down + 1, right + 1]
    return made


def needed(p, q):
    return 4 * (p * (1 - p) + q * (1 - q)) / (p - q) ** 2


def window(model, image, size, *, sign=1, read=lambda z: z.log_softmax(-1), cover=0.0, own=False):
    whole = read(model(image[None]))[0]
    label = whole.argmax()
    made = torch.zeros_like(image)
    half = 0 if own else size // 2
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            hidden = image.clone()
            hidden[max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1] = cover
            made[i, j] = sign * (whole[label] - read(model(hidden[None]))[0, label])
    return made


def in_one_batch(model, image, size):
    height, width = image.shape
    rows, columns = torch.arange(height), torch.arange(width)
    near_r = (rows[:, None] - rows).abs() <= size // 2
    near_c = (columns[:, None] - columns).abs() <= size // 2
    hidden = (near_r[:, None, :, None] & near_c[None, :, None, :]).flatten(0, 1)
    read = model(torch.cat([image[None], image.masked_fill(hidden, 0.0)])).log_softmax(-1)
    return (read[0] - read[1:])[:, read[0].argmax()].view(height, width)


def class_follows(model, image, size):
    label = model(image[None])[0].argmax()
    made = window(model, image, size)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            hidden = image.clone()
            top, left = max(i - size // 2, 0), max(j - size // 2, 0)
            hidden[top : i + size // 2 + 1, left : j + size // 2 + 1] = 0
            now = model(hidden[None]).log_softmax(-1)[0]
            made[i, j] = model(image[None]).log_softmax(-1)[0, label] - now.max()
    return made


RIGHT = {
    "put_together": [by_folding, by_loops],
    "channel_gates": [
        gated(),
        lambda x, a, b: torch.einsum(
            "bchw,bc->bchw", x, 1 / (1 + (-(F.relu(x.flatten(2).mean(-1) @ a) @ b)).exp())
        ),
    ],
    "begins_as_identity": [
        block,
        lambda x, q, k, v, o: (
            x
            + torch.einsum(
                "bqk,bkc->bcq",
                attention(*((x.flatten(2).mT @ each) for each in (q, k, v))).weights,
                x.flatten(2).mT @ v @ o,
            ).view_as(x)
        ),
    ],
    "kernel_as_scores": [
        filter_scores,
        lambda kernel, height, width: filter_scores(kernel, height, width) + 3.0,
    ],
    "images_needed": [
        needed,
        lambda p, q: torch.tensor((2 / (p - q)) ** 2 * (p - p**2 + q - q**2), dtype=torch.double),
    ],
    "occlusion_by_window": [window, in_one_batch],
    "real_differences": ["ACE", {"A", "C", "E"}, "e, c and a"],
}


def no_return(*_):
    print("computed")


WRONG = {
    "put_together": [
        (lambda t, c, h, w: t.reshape(len(t), c, h, w), "only given another shape"),
        (columns_first, "column by column"),
        (turned, "rows and columns inside a patch are swapped"),
        (channels_last, "its channels come first"),
        (lambda t, c, h, w: by_folding(t, c, w, h), "returned shape"),
        (lambda t, c, h, w: by_folding(t, c, h, w)[:1], "returned shape"),
        (lambda t, c, h, w: by_folding(t, c, h, w).flip(-1), "the images"),
        (no_return, "returned None"),
    ],
    "channel_gates": [
        (gated(gate=lambda z: z.softmax(-1)), "SE uses a sigmoid"),
        (gated(middle=lambda z: z), "the ReLU in the middle is missing"),
        (gated(squeeze=lambda x: x.amax(dim=(2, 3))), "by its largest number"),
        (gated(squeeze=lambda x: x.sum(dim=(2, 3))), "by its sum"),
        (
            gated(squeeze=lambda x: x.mean(dim=(0, 2, 3)).expand(len(x), -1)),
            "runs over the batch as well",
        ),
        (gated(gate=lambda z: z), "the sigmoid is missing"),
        (lambda x, a, b: x + gated()(x, a, b), "are added to x"),
        (lambda x, a, b: (F.relu(x.mean((2, 3)) @ a) @ b).sigmoid(), "returned shape"),
        (lambda x, a, b: x * (F.relu(x.mean((2, 3)) @ a) @ b).sigmoid()[:1, :, None, None], "maps"),
        (gated(gate=torch.tanh), "the maps"),
    ],
    "begins_as_identity": [
        (lambda *g: block(*g, add=False), "x itself is missing"),
        (lambda *g: block(*g, scaled=False), "not divided by"),
        (lambda *g: block(*g, dim=-2), "runs over the queries"),
        (lambda *g: block(*g, back=False), "swap the axes back first"),
        (lambda x, *_: x, "right for other inputs"),
        (lambda x, q, k, v, o: block(x, k, q, v, o), "the maps"),
        (lambda x, q, k, v, o: block(x, q, k, v, o)[:1], "returned shape"),
    ],
    "kernel_as_scores": [
        (lambda *g: filter_scores(*g, number=lambda k: k), "give its logarithm"),
        (lambda k, h, w: filter_scores(k.flip(0, 1), h, w), "turned round"),
        (lambda k, h, w: filter_scores(k.T, h, w), "rows and columns of the kernel are swapped"),
        (lambda *g: filter_scores(*g, line=True), "for the first of the next row"),
        (lambda *g: filter_scores(*g, number=torch.zeros_like), "the kernel is not used"),
        (lambda k, h, w: filter_scores(k, w, h), "the weights"),
        (lambda *g: filter_scores(*g, far=-5.0), "the weights"),
        (lambda k, h, w: k.log(), "have the shape (12, 12)"),
        (lambda k, h, w: [1], "not list"),
    ],
    "images_needed": [
        (lambda p, q: needed(p, q) / 4, "for one standard error"),
        (lambda p, q: 4 * p * (1 - p) / (p - q) ** 2, "the variances add"),
        (lambda p, q: needed(p, q) * abs(p - q), "divide by the difference squared"),
        (
            lambda p, q: 4 * ((p - p * p) ** 0.5 + (q - q * q) ** 0.5) ** 2 / (p - q) ** 2,
            "their squares are what adds",
        ),
        (lambda p, q: math.ceil(needed(p, q)), "the number of images should be"),
        (lambda p, q: [needed(p, q)] * 2, "must return one number, not 2"),
    ],
    "occlusion_by_window": [
        (lambda *g: window(*g, sign=-1), "the sign is turned"),
        (lambda *g: window(*g, read=lambda z: z.softmax(-1)), "these are probabilities"),
        (lambda *g: window(*g, read=lambda z: z), "these are logits"),
        (class_follows, "the class is read again"),
        (lambda *g: window(*g, own=True), "only the pixel itself is covered"),
        (lambda *g: window(*g, cover=1.0), "covered with 1, ink"),
        (lambda m, i, s: window(m, i, s).flatten(), "returned shape"),
        (lambda m, i, s: m(i), "the network takes images (B, H, W)"),
    ],
    "real_differences": [
        ("ABC", "3 of the 5 statements are judged right"),
        ("ABCDE", "3 of the 5"),
        ("D", "1 of the 5"),
        ("X", "X is no statement here"),
    ],
}
