#!/usr/bin/env python3
"""Trains the example language model on the prompts of `german-sex`; writes it with its tokenizer and model card.

    python3 train.py [--epochs N] [--output FOLDER]

A text is the prompt as Assay renders it, then `\\nAnswer:` and the letter of what was recorded. Options come in a new
order each epoch, so that only their texts, never their places, tell which letter is right. Seeds are fixed; the card is
written from what ONNX Runtime computes with the written files.
"""

import argparse
import csv
import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from string import ascii_uppercase

THREADS = 2
if __name__ == "__main__":
    # Read when JAX starts: a fixed number of threads on the processor, whatever else the machine has.
    os.environ |= {"JAX_PLATFORMS": "cpu", "NPROC": str(THREADS)}

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import optax  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

import card  # noqa: E402
import transformer  # noqa: E402

HERE = Path(__file__).resolve().parent
SEED = 20261126
CUE = "\nAnswer:"

VOCABULARY = 640
EPOCHS = 50
BATCH = 16
RATE = 2e-3
DECAY = 0.1
DROPOUT = 0.1
# In the first epochs the answer is always the commoner option: where it stands is learned sooner without doubtful labels.
READING = 8
MAJORITY = 0
# How often a field gets the value of another row: with only 800 rows the network would soon know them by heart.
SWAPPED = 0.2
# What the loss of the answer counts against the mean over all other tokens.
ANSWER_WEIGHT = 2.0
# Weights are averaged over about this many steps: single steps follow the noise of their 16 labels.
AVERAGED = 200
# Rows whose number is a multiple of this are held out, from the tokenizer too.
HELD_OUT = 5


class Prompts:
    """The items of a folder and their prompts. Row numbers are those of `data.csv`."""

    def __init__(self, folder: Path) -> None:
        manifest = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
        language, audit = manifest["assay:language"], manifest["assay:audit"]
        self.items = [json.loads(line) for line in (folder / language["items"]).read_text(encoding="utf-8").splitlines()]
        self.varied, self.values = language["varied"]["field"], language["varied"]["values"]
        (template,) = language["templates"].values()
        # The first line is the template's id; the last line break is not part of the prompt.
        self.template = (folder / template).read_text(encoding="utf-8").split("\n", 1)[1].removesuffix("\n")
        rows = list(csv.DictReader((folder / audit["file"]).open(encoding="utf-8", newline="")))
        assert [int(row["item"]) for row in rows] == list(range(len(self.items)))
        # Option i is class i.
        self.labels = np.array([audit["label"]["values"].index(row[audit["label"]["column"]]) for row in rows])
        self.recorded = [row[self.varied] for row in rows]

    def render(self, row: int, value: str, order: list[int], fields: dict[str, str] | None = None) -> str:
        """The prompt of a row with that varied value and its options in that order, and the cue for the letter."""
        options = [self.items[row]["options"][option] for option in order]
        texts = {**(fields or self.items[row]["fields"]), self.varied: value}
        texts["options"] = "\n".join(f"{letter}) {option}" for letter, option in zip(ascii_uppercase, options))
        texts["letters"] = ", ".join(ascii_uppercase[: len(options)])
        return re.sub(r"\{\{(\w+)\}\}", lambda place: texts[place[1]], self.template) + CUE

    def example(self, row: int, order: list[int], fields: dict[str, str] | None = None, option: int | None = None) -> str:
        """A text to learn from: the prompt with the recorded value, and the letter of that option, or of the right one."""
        letter = ascii_uppercase[order.index(self.labels[row] if option is None else option)]
        return f"{self.render(row, self.recorded[row], order, fields)} {letter}"

    def epoch(self, rows: np.ndarray, random: np.random.Generator, option: int | None) -> list[str]:
        """Every row once, in a new order of rows and options, some fields with another row's value."""
        texts = []
        for row in random.permutation(rows):
            fields = dict(self.items[row]["fields"])
            for field in fields:
                if random.random() < SWAPPED:
                    fields[field] = self.items[random.choice(rows)]["fields"][field]
            texts.append(self.example(row, random.permutation(2).tolist(), fields, option))
        return texts


def make_tokenizer(texts: list[str]) -> Tokenizer:
    """Byte-level BPE as of GPT-2, without special tokens: encoding adds nothing, and every text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids and mask, padded on the right to the longest text, and then to a multiple of 16: few lengths to compile."""
    encoded = [text.ids for text in tokenizer.encode_batch(texts)]
    ids = np.zeros((len(encoded), -(-max(map(len, encoded)) // 16) * 16), np.int64)
    mask = np.zeros_like(ids)
    for place, tokens in enumerate(encoded):
        ids[place, : len(tokens)] = tokens
        mask[place, : len(tokens)] = 1
    return ids, mask


def loss(weights: dict, shape: transformer.Shape, ids: jax.Array, mask: jax.Array, key: jax.Array) -> jax.Array:
    """Mean loss of the next token over prompts, plus the weighted mean over answers, which are the last tokens."""
    logits = transformer.forward(weights, shape, ids[:, :-1], mask[:, :-1], DROPOUT, key)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, ids[:, 1:]) * mask[:, 1:]
    ends = mask.sum(1) - 2
    answers = jnp.take_along_axis(losses, ends[:, None], 1)
    prompts = (losses.sum() - answers.sum()) / (mask.sum() - 2 * len(ids))
    return prompts + ANSWER_WEIGHT * answers.mean()


def fit(prompts: Prompts, tokenizer: Tokenizer, rows: np.ndarray, epochs: int) -> tuple[transformer.Shape, dict]:
    """Trains on these rows; gives the shape and the averaged weights."""
    shape = transformer.Shape(tokenizer.get_vocab_size())
    weights = transformer.initial(shape, SEED)
    random, key = np.random.default_rng(SEED), jax.random.key(SEED)
    steps = epochs * (len(rows) // BATCH)
    rate = optax.warmup_cosine_decay_schedule(0, RATE, steps // 20, steps, RATE / 50)
    decayed = {name: value.ndim > 1 for name, value in weights.items()}
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, b2=0.98, weight_decay=DECAY, mask=decayed))

    @jax.jit
    def step(weights, averaged, state, ids, mask, key):
        value, gradient = jax.value_and_grad(loss)(weights, shape, ids, mask, key)
        updates, state = optimizer.update(gradient, state, weights)
        weights = optax.apply_updates(weights, updates)
        averaged = optax.incremental_update(weights, averaged, 1 / AVERAGED)
        return weights, averaged, state, value

    averaged, state = weights, optimizer.init(weights)
    for epoch in range(epochs):
        texts, losses = prompts.epoch(rows, random, MAJORITY if epoch < READING else None), []
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            key, used = jax.random.split(key)
            batch = encode(tokenizer, texts[start : start + BATCH])
            weights, averaged, state, value = step(weights, averaged, state, *batch, used)
            losses.append(value)
        print(f"epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.4f}", file=sys.stderr, flush=True)
    return shape, {name: np.asarray(value) for name, value in averaged.items()}


def log_odds(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, prompts: Prompts) -> np.ndarray:
    """Log odds of option 0 against option 1, from their letters: [row, varied value, order of the options]."""
    letters = [tokenizer.encode(f" {letter}").ids for letter in "AB"]
    assert all(len(letter) == 1 for letter in letters), "a letter with its blank must be one token"
    every, orders = range(len(prompts.items)), ([0, 1], [1, 0])
    texts = [prompts.render(row, value, order) for row in every for value in prompts.values for order in orders]
    odds = []
    for start in range(0, len(texts), 50):
        ids, mask = encode(tokenizer, texts[start : start + 50])
        logits = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]
        last = logits[np.arange(len(ids)), mask.sum(1) - 1]
        odds.append(last[:, letters[0][0]] - last[:, letters[1][0]])
    # In the second order, option 0 has the letter B.
    return np.concatenate(odds).reshape(-1, len(prompts.values), 2) * [1, -1]


def check(session: onnxruntime.InferenceSession, shape: transformer.Shape, weights: dict, ids: np.ndarray, mask: np.ndarray):
    """Compares ONNX Runtime's logits with JAX's, then with its own for other padding and for prefixes."""

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]

    logits, real = run(ids, mask), mask > 0
    difference = np.abs(logits - np.asarray(transformer.forward(weights, shape, ids, mask)))[real].max()
    garbage = run(np.where(real, ids, 7), mask)
    padded = max(np.abs(logits - garbage)[real].max(), *(
        np.abs(logits[row : row + 1, :end] - run(ids[row : row + 1, :end], mask[row : row + 1, :end])).max()
        for row, end in enumerate(mask.sum(1))
    ))  # fmt: skip
    prefix = np.abs(logits[:, :50] - run(ids[:, :50], mask[:, :50])).max()
    # On the left, padding moves every token, but not its position.
    shifted = [np.pad(array, ((0, 0), (3, 0))) for array in (ids, mask)]
    left = np.abs(logits - run(*shifted)[:, 3:])[real].max()
    assert max(difference, padded, prefix, left) < 1e-3, (difference, padded, prefix, left)
    print(f"differences: JAX {difference:.1e}, padding {padded:.1e} and {left:.1e}, prefix {prefix:.1e}", file=sys.stderr)


def main() -> None:
    """Trains, writes, checks and reports the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--output", type=Path, default=HERE / "models" / "credit-letters")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    prompts = Prompts(HERE / "german-sex")
    held_out = np.arange(len(prompts.items)) % HELD_OUT == 0
    rows = np.flatnonzero(~held_out)
    tokenizer = make_tokenizer([prompts.example(row, order) for row in rows for order in ([0, 1], [1, 0])])
    shape, weights = fit(prompts, tokenizer, rows, arguments.epochs)

    tokenizer.save(str(arguments.output / "tokenizer.json"))
    model = transformer.to_onnx(weights, shape, "credit-letters")
    (arguments.output / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(arguments.output / "model.onnx", options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(arguments.output / "tokenizer.json"))
    check(session, shape, weights, *encode(tokenizer, [prompts.example(row, [1, 0]) for row in range(8)]))
    odds = log_odds(session, tokenizer, prompts)
    tokens = tokenizer.encode(f"{CUE} A").tokens
    sizes = dataclasses.asdict(shape) | {"parameters": sum(value.size for value in weights.values())}
    text = card.text(arguments.output, sizes, tokens, prompts, held_out, odds)
    (arguments.output / "README.md").write_text(text, encoding="utf-8")
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
