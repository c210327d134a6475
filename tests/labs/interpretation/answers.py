"""Right answers, and wrong ones with what must be said of them."""

import torch


def by_grid(weights, votes, banned):
    """Two words again, found by trying all pairs."""
    said = (weights * votes).sum()
    allowed = [i for i in range(len(votes)) if i != banned]
    for i in allowed:
        for j in allowed:
            if votes[i] <= said <= votes[j]:
                made = torch.zeros_like(weights)
                gap = votes[j] - votes[i]
                share = (said - votes[i]) / gap if gap else torch.zeros(())
                made[i] += 1 - share
                made[j] += share
                return made
    return torch.zeros_like(weights)


def divides_by_zero(weights, votes, banned):
    """Two words with the extreme votes, also where these are equal."""
    said = (weights * votes).sum()
    allowed = [i for i in range(len(votes)) if i != banned]
    low, high = min(allowed, key=votes.__getitem__), max(allowed, key=votes.__getitem__)
    if not votes[low] <= said <= votes[high]:
        return torch.zeros_like(weights)
    made = torch.zeros_like(weights)
    share = (said - votes[low]) / (votes[high] - votes[low])
    made[low] += 1 - share
    made[high] += share
    return made


def near_the_old(weights, votes, banned):
    """Keep as much of the old weights as one extreme word allows."""
    said = (weights * votes).sum()
    kept = weights.clone()
    kept[banned] = 0
    if kept.sum() == 0:
        kept = torch.ones_like(weights)
        kept[banned] = 0
    kept = kept / kept.sum()
    now = (kept * votes).sum()
    order = [i for i in votes.argsort().tolist() if i != banned]
    far = order[-1] if said > now else order[0]
    gap = votes[far] - now
    share = (said - now) / gap if gap.abs() > 1e-12 else torch.zeros_like(said)
    if share > 1 + 1e-12 or (gap.abs() <= 1e-12 and (said - now).abs() > 1e-9):
        return torch.zeros_like(weights)
    made = (1 - share) * kept
    made[far] += share
    return made


def renormalised(weights, votes, banned):
    made = weights.clone()
    made[banned] = 0
    return made / made.sum()


def never(weights, votes, banned):
    return torch.zeros_like(weights)


def negative(weights, votes, banned):
    """Solve the two equations with two words, whatever the signs."""
    if not by_grid(weights, votes, banned).any():
        return torch.zeros_like(weights)
    said = (weights * votes).sum()
    i, j = [k for k in range(len(votes)) if k != banned][:2] if len(votes) > 2 else (0, 0)
    made = torch.zeros_like(weights)
    gap = votes[j] - votes[i]
    share = (said - votes[i]) / gap if gap else torch.zeros(())
    made[i] += 1 - share
    made[j] += share
    return made


def not_one(weights, votes, banned):
    return 2 * by_grid(weights, votes, banned)


def effects_in_a_loop(model, words):
    found = []
    for i in range(len(words)):
        keep = torch.arange(len(words)) != i
        found.append(model(words) - model(words[keep]))
    return torch.stack(found)


def effects_by_list(model, words):
    listed = words.tolist()
    return torch.tensor(
        [
            (model(words) - model(torch.tensor(listed[:i] + listed[i + 1 :]))).item()
            for i in range(len(listed))
        ],
        dtype=torch.float64,
    )


def effects_turned(model, words):
    return -effects_in_a_loop(model, words)


def effects_sizes(model, words):
    return effects_in_a_loop(model, words).abs()


def effects_zeroed(model, words):
    found = []
    for i in range(len(words)):
        changed = words.clone()
        changed[i] = 0
        found.append(model(words) - model(changed))
    return torch.stack(found)


def effects_alone(model, words):
    return torch.stack([model(words[i : i + 1]) for i in range(len(words))])


def rollout_by_rows(layers, residual):
    """Follow each token down, from the last layer to the first."""
    n = layers.shape[-1]
    flow = torch.eye(n, dtype=layers.dtype)
    for layer in reversed(layers.unbind()):
        flow = flow @ (residual * torch.eye(n, dtype=layers.dtype) + (1 - residual) * layer.mean(0))
    return flow


def rollout_recursive(layers, residual):
    if len(layers) == 0:
        return torch.eye(layers.shape[-1], dtype=layers.dtype)
    below = rollout_recursive(layers[:-1], residual)
    return residual * below + (1 - residual) * torch.einsum("hij,jk->ik", layers[-1], below) / len(
        layers[-1]
    )


def rollout_reversed(layers, residual):
    return rollout_by_rows(layers.flip(0), residual)


def rollout_raw(layers, residual):
    return rollout_by_rows(layers, 0.0)


def rollout_half(layers, residual):
    return rollout_by_rows(layers, 0.5)


def rollout_exchanged(layers, residual):
    return rollout_by_rows(layers, 1 - residual)


def rollout_one_head(layers, residual):
    return rollout_by_rows(layers[:, :1], residual)


def shares_by_vectors(weights, values):
    """Build each vector that is added, and measure it."""
    added = weights[..., None] * values[:, None]  # (h, n_q, n_k, d)
    sizes = added.square().sum(dim=-1).sqrt()
    return sizes / sizes.sum(dim=-1, keepdim=True)


def shares_by_einsum(weights, values):
    sizes = torch.einsum("hqk,hk->hqk", weights, values.norm(dim=2))
    return torch.nn.functional.normalize(sizes, p=1, dim=-1)


def shares_raw(weights, values):
    return weights * values.norm(dim=-1)[:, None, :]


def shares_squared(weights, values):
    sizes = weights * values.square().sum(dim=-1)[:, None, :]
    return sizes / sizes.sum(dim=-1, keepdim=True)


def shares_of_weights(weights, values):
    return weights


def shares_of_head_0(weights, values):
    sizes = weights * values[0].norm(dim=-1)
    return sizes / sizes.sum(dim=-1, keepdim=True)


def score_by_table(weights, tokens):
    """Remember where each token was last."""
    last, found = {}, []
    for q, token in enumerate(tokens.tolist()):
        if token in last:
            found.append(weights[q, last[token] + 1].item())
        last[token] = q
    return torch.tensor(sum(found) / len(found))


def score_by_mask(weights, tokens):
    n = len(tokens)
    at = torch.arange(n)
    same = (tokens[:, None] == tokens) & (at < at[:, None])
    queries = same.any(dim=1).nonzero()[:, 0]
    last = (same * (at + 1)).max(dim=1).values[queries]
    return weights[queries, last].mean()


def score_same(weights, tokens):
    n = len(tokens)
    at = torch.arange(n)
    same = (tokens[:, None] == tokens) & (at < at[:, None])
    queries = same.any(dim=1).nonzero()[:, 0]
    last = (same * (at + 1)).max(dim=1).values[queries]
    return weights[queries, last - 1].mean()


def score_first(weights, tokens):
    listed = tokens.tolist()
    pairs = [(q, listed.index(t) + 1) for q, t in enumerate(listed) if t in listed[:q]]
    return torch.stack([weights[q, k] for q, k in pairs]).mean()


def score_of_all(weights, tokens):
    listed = tokens.tolist()
    pairs = [
        (q, max(k for k in range(q) if listed[k] == t) + 1)
        for q, t in enumerate(listed)
        if t in listed[:q]
    ]
    return torch.stack([weights[q, k] for q, k in pairs]).sum() / len(listed)


RIGHT = {
    "keeps_the_answer": [by_grid, near_the_old],
    "deletion_effects": [effects_in_a_loop, effects_by_list],
    "attention_rollout": [rollout_by_rows, rollout_recursive],
    "weight_times_norm": [shares_by_vectors, shares_by_einsum],
    "induction_score": [score_by_table, score_by_mask, lambda w, t: score_by_mask(w, t).item()],
    "said_of_heads": ["FDA", "a, d, f"],
}
WRONG = {
    "keeps_the_answer": [
        (renormalised, "the answer was"),
        (never, "returned zeros"),
        (negative, "a negative weight"),
        (not_one, "sum to 2"),
        (divides_by_zero, "is something divided by zero"),
        (lambda weights, votes, banned: weights, "gives word 0 the weight"),
    ],
    "deletion_effects": [
        (effects_turned, "the sign is turned round"),
        (effects_sizes, "the sign is lost"),
        (effects_zeroed, "replaced by word 0"),
        (effects_alone, "what each word says alone"),
    ],
    "attention_rollout": [
        (rollout_reversed, "in the wrong order"),
        (rollout_raw, "the residual path is missing"),
        (rollout_half, "taken as one half"),
        (rollout_exchanged, "goes around the attention"),
        (rollout_one_head, ""),
    ],
    "weight_times_norm": [
        (shares_raw, "do not sum to 1 yet"),
        (shares_squared, "squared length"),
        (shares_of_weights, "the values are not used"),
        (shares_of_head_0, "those of head 0"),
    ],
    "induction_score": [
        (score_same, "the weight on the same token"),
        (score_first, "the last time counts"),
        (score_of_all, "over all queries"),
    ],
    "said_of_heads": [
        ("ABDF", "5 of the 6"),
        ("AD", ""),
        ("ADEF", "5 of the 6"),
    ],
}
