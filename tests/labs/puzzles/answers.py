"""Right and wrong answers to the attention puzzles, written from their statements."""

import functools
import math

import torch

from attention_lab.core import modes


def rule(text):
    """Write a rule from an expression of q and k."""
    return eval(f"lambda b, h, q, k: {text}", {"torch": torch, "math": math})


def made(arguments, text, **names):
    """Write a function that returns a rule."""
    return eval(f"lambda {arguments}: lambda b, h, q, k: {text}", {"torch": torch, **names})


def whole(arguments, text):
    """Write a function that returns a whole mask, from positions q (n, 1) and k (1, n)."""
    names = {"torch": torch, "at": lambda n: (torch.arange(n)[:, None], torch.arange(n))}
    return eval(f"lambda {arguments}: {text}", names)


def tree_by_products(parents):
    n = len(parents)
    up = torch.nn.functional.one_hot(parents + 1, n + 1)[:, 1:]
    return torch.linalg.matrix_power(torch.eye(n) + up, n) > 0


def tree_by_climbing(parents):
    def seen(b, h, q_idx, kv_idx):
        table = torch.tensor(paths)
        return table[q_idx, kv_idx]

    paths = []
    for node in range(len(parents)):
        on_path = set()
        while node >= 0:
            on_path.add(node)
            node = parents[node].item()
        paths.append([other in on_path for other in range(len(parents))])
    return seen


def tree_in_one_pass(parents):
    sees = torch.eye(len(parents), dtype=torch.bool)
    for node, parent in enumerate(parents.tolist()):
        if parent >= 0:
            sees[node] |= sees[parent]
    return sees


def only_parents(parents):
    n = len(parents)
    sees = torch.eye(n, dtype=torch.bool)
    for node in range(n):
        if parents[node] >= 0:
            sees[node, parents[node]] = True
    return sees


def only_ancestors(parents):
    return tree_by_products(parents) & ~torch.eye(len(parents), dtype=torch.bool)


def row_of_minus_one(parents):
    """The parent -1 is taken for the last node."""
    sees = torch.eye(len(parents), dtype=torch.bool)
    for _ in parents:
        sees |= sees[parents]
    return sees


def grid_by_coordinates(height, width):
    cells = torch.cartesian_prod(torch.arange(height), torch.arange(width)).reshape(-1, 2)
    return (cells[:, None] - cells[None]).abs().amax(-1) <= 1


def edge_by_starts(height, width):
    def near(b, h, q, k):
        top = torch.clamp(q // width - 1, 0, height - 3)
        left = torch.clamp(q % width - 1, 0, width - 3)
        row, column = k // width, k % width
        return (row >= top) & (row < top + 3) & (column >= left) & (column < left + 3)

    return near


def edge_mask(height, width):
    q = torch.arange(height * width)
    rows = [torch.minimum(torch.maximum(q // width, torch.tensor(1)), torch.tensor(height - 2))]
    columns = [(q % width).clamp(1, width - 2)]
    near_row = (rows[0][:, None] - q // width).abs() <= 1
    return near_row & ((columns[0][:, None] - q % width).abs() <= 1)


def no_return(*_):
    print("computed")


def by_logits(scores, chosen, wanted):
    now = scores.softmax(-1)[:, chosen].sum(-1)
    return torch.tensor(wanted, dtype=now.dtype).logit() - now.logit()


def by_loop(scores, chosen, wanted):
    found = []
    for row in scores:
        odds = row[chosen].logsumexp(0) - row[~chosen].logsumexp(0)
        found.append(math.log(wanted) - math.log(1 - wanted) - odds)
    return torch.stack(found)


def by_softmax_of_logs(scores, chosen, wanted):
    logs = scores.log_softmax(-1)
    now, rest = logs[:, chosen].logsumexp(-1), logs[:, ~chosen].logsumexp(-1)
    return torch.tensor(wanted, dtype=logs.dtype).logit() - now + rest


def one_more_score(scores, sink):
    size = torch.maximum(scores.amax(-1, keepdim=True), torch.tensor(sink))
    e = (scores - size).exp()
    return e / (e.sum(-1, keepdim=True) + (sink - size).exp())


def one_shift_for_all(scores, sink):
    size = max(scores.max().item(), sink)
    e = (scores - size).exp()
    return e / (e.sum(-1, keepdim=True) + math.exp(sink - size))


def by_padding(scores, sink):
    return torch.nn.functional.pad(scores, (1, 0), value=sink).softmax(-1)[..., 1:]


def by_sigmoid(scores, sink):
    total = scores.logsumexp(-1, keepdim=True)
    return scores.softmax(-1).nan_to_num(0.0) * (total - sink).sigmoid()


def shifted(scores, sink):
    e = (scores - scores.amax(-1, keepdim=True)).exp().nan_to_num(0.0)
    return e / (e.sum(-1, keepdim=True) + math.exp(sink))


def counts_like(seen, first=lambda n: (torch.arange(n) == 0).double()):
    """Make a counting head from (tokens, positions of queries, positions of keys)."""

    def answer(tokens):
        position = torch.arange(len(tokens))
        mask = seen(tokens, position[:, None], position[None, :])
        return mask.expand(len(tokens), len(tokens)), first(len(tokens))

    return answer


def count_in_a_loop(tokens):
    n = len(tokens)
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        for j in range(i + 1):
            mask[i, j] = j == 0 or tokens[i] == tokens[j]
    value = torch.zeros(n)
    value[0] = 1
    return mask, value


def turned(frequencies, step=1.0, size=100.0):
    cos, sin = (step * frequencies).cos(), (step * frequencies).sin()
    turns = torch.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)
    return size * torch.block_diag(*turns), torch.eye(2 * len(frequencies))


def keys_turned(frequencies):
    forward, same = turned(frequencies, -1.0)
    return same, forward


def half_each(frequencies):
    back, _ = turned(frequencies, 0.5, 15.0)
    forward, _ = turned(frequencies, -0.5, 15.0)
    return back, forward


def both_back(frequencies):
    return turned(frequencies)[0], turned(frequencies, 1.0, 1.0)[0]


def turned_by_loop(frequencies):
    m = len(frequencies)
    W_Q = torch.zeros(2 * m, 2 * m, dtype=torch.float64)
    for i, w in enumerate(frequencies.tolist()):
        W_Q[2 * i, 2 * i] = W_Q[2 * i + 1, 2 * i + 1] = 90 * math.cos(w)
        W_Q[2 * i, 2 * i + 1], W_Q[2 * i + 1, 2 * i] = -90 * math.sin(w), 90 * math.sin(w)
    return W_Q, torch.eye(2 * m, dtype=torch.float64)


def spot(bias, layers=None, *, only_last=True):
    """Make a mode, or a mode with its layers."""

    def answer(at, last):
        mode = modes.spotlight([at], bias, queries=[last] if only_last else None)
        return mode if layers is None else (mode, layers)

    return answer


def own_mode(at, last):
    return modes.Mode(
        "the chosen key", bias=lambda b, h, q, k: torch.where((q == last) & (k == at), 4.0, 0.0)
    )


def hot(at, last):
    return modes.temperature(3.0), 20


def only_it_and_the_first(at, last):
    """A mask in late layers: the last query sees the word, the first key and itself."""
    seen = modes.Mode("only it", lambda b, h, q, k: (q != last) | (k == at) | (k == 0) | (k == q))
    return seen, [21, 22, 23, 24]


stack = torch.stack
one = torch.ones_like
whole_n = functools.partial(whole, "n")

RIGHT = {
    "key_before": [rule("q - k == 1"), rule("(k < q) & (k > q - 2)"), rule("k + 1 == q")],
    "all_but_itself": [rule("~(q == k)"), rule("(q < k) | (k < q)"), rule("(q - k).abs() > 0")],
    "first_and_last": [
        whole_n("((at(n)[1] == 0) | (at(n)[1] == n - 1)).expand(n, n)"),
        made("n", "k % max(n - 1, 1) == 0"),
        made("n", "~((k > 0) & (k < n - 1))"),
    ],
    "every_third": [
        rule("(q >= k) & (k.remainder(3) == 0)"),
        rule("torch.where(k > q, False, k // 3 * 3 == k)"),
    ],
    "window_repaired": [
        made("size", "(0 <= q - k) & (q - k <= size - 1)"),
        made("size", "(k <= q) & (k > q - size)"),
        lambda size: (modes.causal & modes.window(size)).mask_mod,
    ],
    "prompt_reads_itself": [
        made("prompt", "k < torch.maximum(q + 1, torch.tensor(prompt))"),
        made("prompt", "(k <= q) | ((q < prompt) & (k < prompt))"),
    ],
    "documents_by_id": [
        made("doc", "(doc[k] == doc[q]) & (q >= k) & (doc[k] != -1)"),
        lambda doc: ((doc[:, None] == doc) & (doc >= 0)).tril(),
    ],
    "dilated_back": [
        made("step, count", "torch.isin(q - k, torch.arange(count) * step)"),
        made(
            "step, count",
            "((q - k) % step == 0) & ((q - k) // step >= 0) & ((q - k) // step < count)",
        ),
    ],
    "window_with_sinks": [
        made("size, sinks", "(k <= q) & (q - k < size) | (k <= q) & (k < sinks)"),
        lambda size, sinks: made("", "(q >= k) & ((k < sinks) | (k > q - size))",
                                 size=size, sinks=sinks)(),
    ],
    "blocks_of_a_layout": [
        made("layout, block", "(q >= k) & layout[q // block][k // block]"),
        made("layout, block", "layout[q.div(block, rounding_mode='floor'), k // block] & (k <= q)"),
    ],
    "tree_of_guesses": [tree_by_products, tree_by_climbing],
    "grid_neighbours": [
        grid_by_coordinates,
        made(
            "height, width",
            "torch.maximum((q // width - k // width).abs(), (q % width - k % width).abs()) < 2",
        ),
    ],
    "grid_at_the_edge": [edge_by_starts, edge_mask],
    "halving": [
        rule("k * math.log(2)"),
        rule("torch.log(torch.tensor(0.5)) * (q - k)"),
        rule("math.log(2) * (k - q) + 3.5"),
    ],
    "lift_to_share": [by_logits, by_loop, by_softmax_of_logs],
    "may_say_nothing": [one_more_score, by_padding, by_sigmoid],
    "count_so_far": [
        count_in_a_loop,
        counts_like(lambda t, q, k: (k == 0) | (t[q] == t[k]) & (k <= q)),
    ],
    "look_where_told": [
        lambda t: stack([20.0 * t, torch.full_like(t, 20).float()], -1),
        lambda t: 8 * torch.cat([t[:, None], one(t)[:, None]], 1).double(),
    ],
    "turn_back_one": [turned_by_loop, keys_turned, half_each],
    "say_the_word": [own_mode, spot(5.0)],
    "break_the_copy": [
        made("n", "~(q - k == n - 1)"),
        lambda n: modes.Mode("not it", lambda b, h, q, k: k + n != q + 1).mask_mod,
    ],
    "few_keys": [
        lambda keys: (modes.causal & (modes.window(keys - 2) | modes.sink(2))).mask_mod,
        made("keys", "(k <= q) & (q - k < keys - 1) | (k == 0)"),
    ],
    "say_it_within_limits": [spot(6.0, range(21, 25)), spot(4.0, [21, 22, 23, 24])],
}  # fmt: skip

WRONG = {
    "key_before": [
        (rule("k == q + 1"), "this is the key after the query"),
        (rule("k < q"), "all keys before the query"),
        (rule("k == q"), "its own key; the one before it is wanted"),
        (rule("(k == q - 1) | (k == q)"), "its own key as well"),
        (rule("(q - k).abs() == 1"), "both neighbours"),
        (rule("k == (q - 1).clamp(min=0)"), "query 0 has no key before it"),
        (rule("k != q - 1"), "the wrong way round"),
        (rule("k == (q - 1) % 6"), "for n = 6: query 0 sees key 5"),
        (rule("(k == q - 1) & (q < 20)"), "but for n = 33: query 20 should see key 19"),
        (rule("k - q + 1"), "must return a boolean tensor"),
        (lambda q, k: k == q - 1, "is called with 4 arguments"),
        (lambda b, h, q, k: True, "boolean tensor, but it returned bool"),
        (torch.eye(6), "this is a Tensor"),
    ],
    "all_but_itself": [
        (rule("k < q"), "the later keys are missing"),
        (rule("k <= q"), "this is the causal mask"),
        (rule("k == q"), "the wrong way round"),
        (rule("(k - q).abs() == 1"), "only the two neighbours"),
        (rule("(k != q) | (q == 0)"), "query 0 sees key 0, and should not"),
    ],
    "first_and_last": [
        (made("n", "k == 0"), "the last key is missing"),
        (made("n", "(k == 0) | (k == n)"), "the last key is missing"),
        (made("n", "(k == 0) | (k == -1)"), "the last key is missing"),
        (made("n", "(q == 0) | (q == n - 1)"), "first and the last query"),
        (made("n", "(k == 0) & (k == n - 1)"), "both at once"),
        (made("n", "(k == 0) | (k == 5)"), "right for other inputs, but for n = 2"),
        (made("n", "((k == 0) | (k == n - 1)) & (k <= q)"), "later keys are hidden"),
        (whole_n("torch.ones(n, n)"), "returned numbers (torch.float32)"),
        (whole_n("(at(n)[1] == 0) | (at(n)[1] == n - 1)"), "returned shape (6,)"),
        (no_return, "returned None"),
    ],
    "every_third": [
        (rule("k % 3 == 0"), "later keys are seen as well"),
        (rule("((q - k) % 3 == 0) & (k <= q)"), "counted from the query"),
        (rule("(k % 3 == 2) & (k <= q)"), "2, 5, 8"),
        (rule("(k % 3 == 0) | (k <= q)"), "joined by or"),
        (rule("(k % 3 == 0) & (k < q)"), "does not see its own key here"),
        (rule("k % 3 == 0 & (k <= q)"), "later keys are seen as well"),
        (rule("(k % 3 == 0) & (k <= q) & (k < 12)"), "for n = 13: query 12"),
    ],
    "window_repaired": [
        (made("size", "q - k < size"), "later keys are still seen"),
        (made("size", "(q - k).abs() < size"), "both sides"),
        (made("size", "(q - k >= 0) & (q - k <= size)"), "one key too many"),
        (made("size", "(q - k > 0) & (q - k < size)"), "and one key fewer"),
        (made("size", "q >= k"), "causal without a window"),
        (made("size", "(q >= k) & (q - k < 3)"), "right for other inputs"),
        (rule("(q >= k) & (q - k < 3)"), "is called with 1 arguments (size)"),
    ],
    "prompt_reads_itself": [
        (made("prompt", "k <= q"), "this is the causal mask"),
        (made("prompt", "k < prompt"), "only keys of the prompt"),
        (made("prompt", "(k <= q) & (k < prompt)"), "joined by and"),
        (made("prompt", "(k <= q) | (k <= prompt)"), "one key too many"),
        (made("prompt", "(k <= q) | (q < prompt)"), "also what is written after the prompt"),
        (lambda prompt: modes.prefix(prompt).mask_mod, "raised ValueError"),
    ],
    "documents_by_id": [
        (made("doc", "(doc[q] == doc[k]) & (k <= q)"), "padding tokens (-1) see padding"),
        (made("doc", "(doc[q] == doc[k]) & (doc[q] >= 0)"), "later keys of the document"),
        (made("doc", "(doc[q] == doc[k])"), "and padding sees padding"),
        (made("doc", "(doc[q] == doc[k]) & (k <= q) & (doc[q] > 0)"), "document 0 is hidden"),
        (
            made("doc", "(doc[q] == doc[k]) & (k <= q) & (q - k < 4) & (doc[q] >= 0)"),
            "right for other inputs, but for n = 6",
        ),
        (made("doc", "(q == k) & doc"), "for n = 8"),
    ],
    "dilated_back": [
        (made("step, count", "((q - k) % step == 0) & (q - k < step * count)"), "later keys"),
        (made("step, count", "(q >= k) & ((q - k) % step == 0)"), "there is no limit"),
        (
            made("step, count", "(q >= k) & ((q - k) % step == 0) & (q - k <= step * count)"),
            "one key too many",
        ),
        (
            made("step, count", "(q >= k) & ((q - k) % step == 0) & (q - k < count)"),
            "taken for a distance",
        ),
        (made("step, count", "(q >= k) & (k % step == 0) & (q - k < step * count)"), "key 0"),
        (made("step, count", "(q >= k) & (q - k < step * count)"), "without steps"),
        (made("count, step", "(q >= k) & ((q - k) % step == 0) & (q - k < step * count)"), "query"),
    ],
    "window_with_sinks": [
        (made("size, sinks", "(k <= q) & (q - k < size) | (k < sinks)"), "& binds before |"),
        (made("size, sinks", "(q - k < size) | (k < sinks)"), "later keys are seen"),
        (made("size, sinks", "(k <= q) & (q - k < size)"), "the sinks are missing"),
        (made("size, sinks", "(k <= q) & ((q - k < size) | (k <= sinks))"), "one sink too many"),
        (
            made("size, sinks", "(k <= q) & ((q - k <= size) | (k < sinks))"),
            "the window has one key too many",
        ),
        (made("size, sinks", "(k <= q) & ((q - k < size) | (k == 0))"), "right for other inputs"),
    ],
    "blocks_of_a_layout": [
        (made("layout, block", "layout[q // block, k // block]"), "later keys are seen"),
        (made("layout, block", "layout[k // block, q // block] & (k <= q)"), "rows are blocks of"),
        (
            made("layout, block", "layout[q // block, k // block] & (k // block <= q // block)"),
            "whole blocks are causal",
        ),
        (made("layout, block", "layout[q // 2, k // 2] & (k <= q)"), "right for other inputs"),
        (
            lambda layout, block: layout.repeat_interleave(block, 0).repeat_interleave(block, 1),
            "query 0 sees key 1",
        ),
        (made("layout, block", "layout[q, k] & (k <= q)"), "raised"),
    ],
    "tree_of_guesses": [
        (tree_in_one_pass, "before it is complete"),
        (only_parents, "only the parent is seen"),
        (only_ancestors, "does not see itself"),
        (lambda parents: tree_by_products(parents).T, "what comes after it in the tree"),
        (lambda parents: tree_by_products(parents).tril(), "a parent may come after its child"),
        (lambda parents: tree_by_products(parents).int(), "returned numbers (torch.int32)"),
        (row_of_minus_one, "for n = 7"),
        (no_return, "returned None"),
    ],
    "grid_neighbours": [
        (
            made("height, width", "torch.isin((q - k).abs(), torch.tensor("
                 "[0, 1, width - 1, width, width + 1]))"),
            "compare rows and columns",
        ),
        (
            made("height, width",
                 "(q // width - k // width).abs() + (q % width - k % width).abs() <= 1"),
            "the corners are missing",
        ),
        (lambda height, width: grid_by_coordinates(width, height), "divided by the height"),
        (
            made("height, width", "((q // width - k // width).abs() <= 1)"
                 " | ((q % width - k % width).abs() <= 1)"),
            "joined by or",
        ),
        (lambda height, width: grid_by_coordinates(height, width).tril(), "grid has no order"),
        (
            lambda height, width: grid_by_coordinates(height, width)
            & ~torch.eye(height * width, dtype=torch.bool),
            "does not see itself",
        ),
        (edge_by_starts, "for n = 12"),
    ],
    "grid_at_the_edge": [
        (grid_by_coordinates, "not moved at the edge"),
        (lambda height, width: edge_mask(width, height), "swapped"),
        (
            made("height, width", "((q // width).clamp(1, height - 2) - k // width).abs() * 0 + "
                 "(q % width - k % width).abs() <= 1"),
            "for n = 12",
        ),
        (
            made("height, width", "(((q // width).clamp(1, height - 2) - k // width).abs() <= 1)"
                 " & ((q % width - k % width).abs() <= 1)"),
            "only rows are moved",
        ),
        (
            made("height, width", "(((q % width).clamp(1, width - 2) - k % width).abs() <= 1)"
                 " & ((q // width - k // width).abs() <= 1)"),
            "only columns are moved",
        ),
    ],
    "halving": [
        (rule("(q - k) * math.log(2)"), "the sign is the wrong way round"),
        (rule("k - q"), "the step is ln 2 and not 1"),
        (rule("-0.5 * (q - k)"), "≈ .607"),
        (rule("-2.0 * (q - k)"), "≈ .135"),
        (rule("0.0 * k"), "nothing changes"),
        (rule("0.5 ** (q - k)"), "for n = 4 query"),
        (rule("torch.where(q - k < 4, -math.log(2) * (q - k), 0.0)"), "for n = 7"),
        (rule("torch.log(0.5 * (q - k))"), "not finite"),
        (rule("math.log(1 + k)"), "your rule"),
        (lambda q, k: k - q, "your rule"),
        (torch.ones(4), "this must be a function"),
    ],
    "lift_to_share": [
        (lambda s, c, w: torch.full((len(s),), w).logit(), "half of the weight now"),
        (lambda s, c, w: torch.log(w / s.softmax(-1)[:, c].sum(-1)), "the share itself is divided"),
        (lambda s, c, w: -by_loop(s, c, w), "the sign is the wrong way round"),
        (lambda s, c, w: w - s.softmax(-1)[:, c].sum(-1), "the difference of the shares"),
        (lambda s, c, w: by_loop(s, c, w)[:1], "returned shape"),
        (lambda s, c, w: by_loop(s, c, w)[0].expand(len(s)), "the biases"),
        (lambda s, c, w: s.masked_fill(~c, 0.0), "returned shape"),
    ],
    "may_say_nothing": [
        (lambda s, sink: s.softmax(-1), "this is the plain softmax: the"),
        (lambda s, sink: s.softmax(-1).nan_to_num(0.0), "with zeros for a hidden row"),
        (shifted, "shift the sink"),
        (one_shift_for_all, "right for other inputs, but for scores = [[1000, 999]"),
        (
            lambda s, sink: torch.cat([s, torch.full_like(s[..., :1], sink)], -1).softmax(-1),
            "as a last column",
        ),
        (lambda s, sink: s.exp() / (s.exp().sum(-1, keepdim=True) + math.exp(sink)), "overflows"),
        (lambda s, sink: one_more_score(s, 0.0), "right for other inputs"),
        (lambda s, sink: s.exp() / (s.exp().sum(-1, keepdim=True) + sink), "exp(sink) is wanted"),
        (lambda s, sink: one_more_score(s, sink) + 1e-4, "the weights"),
    ],
    "count_so_far": [
        (counts_like(lambda t, q, k: (t[q] == t[k]) & (k <= q)), "1 / 0 is no count"),
        (counts_like(lambda t, q, k: (t[q] == t[k]) | (k == 0)), "that come later"),
        (counts_like(lambda t, q, k: (t[q] == t[k]) & (k < q) | (k == 0)), "own token is not"),
        (counts_like(lambda t, q, k: k <= q), "all tokens are counted"),
        (
            counts_like(lambda t, q, k: (t[q] == t[k]) & (k <= q) | (k == 0), torch.ones),
            "every value is 1",
        ),
        (
            counts_like(
                lambda t, q, k: (t[q] == t[k]) & (k <= q) | (k == 0), lambda n: torch.arange(n)
            ),
            "0 and 1 only",
        ),
        (counts_like(lambda t, q, k: k > q), "sees no key at all"),
        (counts_like(lambda t, q, k: (k == 0) * 1), "the mask must be boolean"),
        (lambda tokens: tokens == tokens[:, None], "must return (mask, value)"),
        (lambda tokens: (tokens == tokens[:, None], torch.ones(3)), "the value must have shape"),
        (
            counts_like(
                lambda t, q, k: (t[q] == t[k]) & (k <= q) & (q - k < 5) | (k == 0)
            ),
            "counts",
        ),
    ],
    "look_where_told": [
        (lambda t: stack([t, one(t)], -1).float(), "make the queries longer"),
        (lambda t: 10.0 * stack([one(t), t], -1), "are swapped"),
        (lambda t: 10.0 * stack([2 * t, one(t)], -1), "twice the target"),
        (lambda t: 10.0 * stack([t, -one(t)], -1), "the sign of j²"),
        (lambda t: 10.0 * stack([t.flip(0), one(t)], -1), "gives most"),
        (lambda t: 10.0 * stack([t, one(t)], 0), "returned shape"),
        (lambda t: stack([t, one(t)], -1), "tensor of floating point numbers"),
        (lambda t: stack([t, one(t)], -1) / 0.0, "not finite"),
    ],
    "turn_back_one": [
        (lambda f: turned(f, -1.0), "the one after it"),
        (lambda f: turned(f, 0.0), "attends to itself"),
        (lambda f: turned(f, 2.0), "two before it"),
        (lambda f: turned(f, 1.0, 1.0), "make W_Q larger"),
        (both_back, "attends to itself"),
        (lambda f: (torch.eye(3), torch.eye(3)), "must have 12 rows"),
        (lambda f: turned(f)[0], "must return (W_Q, W_K)"),
        (lambda f: (turned(f)[0], torch.eye(2 * len(f))[:, :1]), "as many columns"),
        (lambda f: turned(f * (-1.0) ** torch.arange(len(f))), "gives most"),
        (lambda f: (turned(f)[0] / 0.0, turned(f)[1]), "not finite"),
    ],
    "say_the_word": [
        (spot(0.5), "was chosen, and after"),
        (spot(4.0, only_last=False), "was chosen, and after"),
        (lambda at, last: modes.spotlight([last], 4.0, queries=[at]), "was chosen"),
        (lambda at, last: 4.0, "must return a mode"),
        (spot(4.0, range(3)), "must return a mode"),
        (no_return, "returned None"),
    ],
    "break_the_copy": [
        (made("n", "q - k != n"), "the second copy is still read off the first"),
        (made("n", "q - k != n + 1"), "still read off the first"),
        (made("n", "q - k != n - 2"), "the loss of the first copy changes"),
        (made("n", "q - k < n - 1"), "keys that are not later are hidden from one query"),
        (made("n", "q - k != 1"), "the loss of the first copy changes"),
        (made("n", "q - k == n - 1"), "are hidden from one query; 1 is allowed"),
        (rule("q != k"), "is called with 1 arguments (n)"),
    ],
    "few_keys": [
        (made("keys", "(k <= q) & (q - k < keys)"), "do not see key 0"),
        (made("keys", "(k <= q) & ((q - k < keys) | (k == 0))"), "a query sees 9 keys"),
        (made("keys", "(q - k < keys - 1) | (k == 0)"), "sees a later key"),
        (made("keys", "(k <= q) & ((q - k < 2) | (k < keys - 2))"), "the loss rises"),
        (made("keys", "(k <= q) & (k < keys)"), "the loss rises"),
        (
            made("keys", "(k <= q) & ((q - k < keys - 1) | (k == 0) | (k == 99))"),
            "123 tokens a query sees too many",
        ),
    ],
    "say_it_within_limits": [
        (spot(4.0, range(18, 26)), "acts in 8 layers"),
        (spot(5.0, range(21, 25), only_last=False), "acts on more queries than the last"),
        (spot(4.0, range(10, 14)), "words come as chosen"),
        (only_it_and_the_first, "the least likely with 0.5"),
        (hot, "words come as chosen"),
        (spot(5.0, range(20, 24)), "the least likely with"),
        (spot(5.0), "must return (mode, layers)"),
        (spot(5.0, ["late"]), "the layers must be numbers from 0 to 29"),
        (spot(5.0, [40]), "the layers must be numbers from 0 to 29"),
        (spot(5.0, 1.5), "the layers must be numbers"),
    ],
}  # fmt: skip
