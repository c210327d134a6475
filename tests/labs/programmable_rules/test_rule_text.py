"""A rule as a learner types it, in the form that tensors take."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_lab.core.modes import Mode
from attention_lab.grading.feedback import Problem
from attention_lab.labs.programmable_rules.rule_text import in_tensors

N = 5
RULES = {
    "mask": [
        "k <= q and q - k < 3",
        "0 <= q - k < 3",
        "not k == 0 or q == n - 1",
        "(k <= q) & (q - k < 3) | ~(k != 2)",
        "k in (0, 3) or k not in [1, q]",
        "q % 2 == k % 2",
        "k <= q if h == 0 else k == q",
        "q // 2 == k // 2",
        "max(q - k, k - q) < 2",
        "min(q, k, ) == 1 and +k > -1",
        "n > q + k",
        "k ≤ q and q − k ≠ 2 and 2 × k ≥ q · 1",
        "q_idx > kv_idx",
    ],
    "bias": [
        "-0.5 * abs(q - k)",
        "2 if k == n - 1 else 0",
        "exp(-abs(q - k)) / 2",
        "k if q == 1 else -1.5",
        "max(q - k, 0) + min(k, 2)",
        "3",
        "h * (q - k)",
    ],
}


@pytest.mark.parametrize(("wants", "text"), [(w, t) for w, ts in RULES.items() for t in ts])
def test_a_rule_means_in_tensors_what_it_means_in_python(wants, text):
    plain = text
    for typed, sign in (("≤", "<="), ("−", "-"), ("≠", "!="), ("×", "*"), ("·", "*"), ("≥", ">=")):
        plain = plain.replace(typed, sign)
    plain = plain.replace("~", " not ").replace("&", " and ").replace("|", " or ")
    rule = eval(f"lambda b, h, q, k: {in_tensors(text, wants, N)}", {"torch": torch})
    mode = Mode(text, rule) if wants == "mask" else Mode(text, bias=rule)
    visible, bias = mode.dense(N, N, heads=2, dtype=torch.float64)
    for h, q, k in itertools.product(range(2), range(N), range(N)):
        names = {"h": h, "q": q, "k": k, "n": N, "exp": math.exp, "q_idx": q, "kv_idx": k}
        want = eval(plain, names)
        came = (visible if wants == "mask" else bias)[h, q, k].item()
        assert came == pytest.approx(want, rel=1e-6), (h, q, k)


REFUSED = {
    ("mask", ""): "write a rule, such as k <= q",
    ("mask", "k" * 201): "201 characters; at most 200",
    ("mask", "k = q"): "write == to compare",
    ("mask", "k => q"): "write == to compare",
    ("mask", "q -"): "“q -” cannot be read",
    ("mask", "k <= q && q"): "cannot be read",
    ("mask", "k <= q & q - k < 3"): "put each comparison in brackets",
    ("mask", "q and k <= q"): "“q” is a number, but “and” wants True or False",
    ("mask", "k <= q if q else k == 1"): "“q” is a number, but “if” wants",
    ("mask", "not q"): "“not” wants True or False",
    ("mask", "q - k"): "a mask says True or False, but “q - k” is a number",
    ("mask", "(k == 1) * 2 < q"): "write 1 if k == 1 else 0",
    ("mask", "1 < 2 and k <= q"): "“1 < 2” is the same for every pair",
    ("mask", "min(2, 3) < q"): "“min(2, 3)” is the same for every pair",
    ("mask", "True"): "“True” cannot stand in a rule: a rule is made of",
    ("mask", "k is q"): "“k is q” cannot stand in a rule",
    ("mask", "k in q"): "behind in stand numbers in brackets",
    ("mask", "k in ()"): "behind in stand numbers in brackets",
    ("mask", "b == 0"): "“b”, the text of a batch, is always 0 here",
    ("mask", "i <= q"): "“i” is not known: q is the position of the query",
    ("mask", "q % (n - 5) == 0"): "“q % (n - 5)” may divide by 0: write a number other than 0",
    ("mask", "q // 0 == 1"): "may divide by 0",
    ("mask", "k <= 1e9"): "1e+09 is too large",
    ("mask", "k <= 1e999"): "is too large",
    ("mask", "k <= 'a'"): "“'a'” cannot stand in a rule",
    ("bias", "1j"): "“1j” cannot stand in a rule",
    ("bias", "q ** 2"): "“q ** 2” cannot stand in a rule",
    ("bias", "k <= q"): "write 2 if k <= q else 0",
    ("bias", "k if q == 1 else k == 1"): "is a number in one case and True or False in the other",
    ("bias", "abs(q, k)"): "abs takes 1 number",
    ("bias", "max(q)"): "max takes 2 numbers",
    ("bias", "abs(x=q)"): "cannot stand in a rule",
    ("bias", "q.item()"): "“q.item()” cannot stand in a rule",
    ("bias", "q.real"): "“q.real” cannot stand in a rule",
    ("bias", "__import__('os').system('true')"): "cannot stand in a rule",
    ("bias", "(lambda: 1)()"): "cannot stand in a rule",
    ("bias", "[k for k in (1,)]"): "cannot stand in a rule",
    ("bias", "(k := 3)"): "cannot stand in a rule",
    ("bias", "f'{q}'"): "cannot stand in a rule",
}


@pytest.mark.parametrize(("wants", "text"), REFUSED)
def test_what_is_no_rule_is_named_with_its_right_form(wants, text):
    with pytest.raises(Problem) as caught:
        in_tensors(text, wants, N)
    assert REFUSED[wants, text] in str(caught.value)
    assert len(str(caught.value)) < 330


@settings(max_examples=150, deadline=None)
@given(st.text("qkhn0123 +-*/%<=>()and,orti[]~&|.", max_size=30), st.sampled_from(["mask", "bias"]))
def test_whatever_is_typed_is_a_rule_or_a_problem(text, wants):
    try:
        written = in_tensors(text, wants, N)
    except Problem:
        return
    # only names that are known come through
    names = set(compile(written, "rule", "eval").co_names)
    assert names <= {"q", "k", "h", "torch", "where", "exp", "abs"}
