"""The model card of the example language model: what it is, and its figures."""

import hashlib
from pathlib import Path

import numpy as np

from transformer import OPSET

TEXT = """\
# credit-letters

A small language model for tests and examples of audits by likelihood. **It is no lending model**: it has learned the
outcomes of 800 loans of about 1974 from one bank, with whatever was unfair about them, and knows nothing else.

- **Model**: transformer, {layers} layers, width {width}, {heads} heads, context of {context} tokens, {parameters:,} parameters in
  float32; layer norm first, learned positions, GELU, output layer tied to the embedding. Trained from random weights.
- **Interface** (`model.onnx`, opset {opset}): `input_ids` and `attention_mask`, int64 `[batch_size, sequence_length]`, to `logits`,
  float32 `[batch_size, sequence_length, {vocabulary}]`. Causal, no cache. Positions count what is not masked: pad on either side.
- **Tokenizer** (`tokenizer.json`): byte-level BPE, {vocabulary} tokens, none special. `"\\nAnswer: A"` is {tokens}.
- **Text**: a prompt of `../../german-sex` as Assay renders it, then `\\nAnswer:` and ` A` or ` B`.
- **Training**: on the {trained} rows of `german-sex` whose number 5 does not divide, with sex and outcome as recorded; the other
  {held} are held out, from the tokenizer too. The order of the options is drawn anew for each text. Loss of the next token over
  the whole text, more of it on the answer. In the first epochs the answer is always *Yes*; some fields get another row's value.
  Settings were tried on the rows with remainder 1, which the final training then includes; the held-out rows had no say.

The answer is the letter that is likelier after `\\nAnswer:`, computed by ONNX Runtime with the committed files. Accuracy is with
the recorded sex; texts are each row in both orders of the options, and where sex changes, each pair of them.

| | rows | texts | share |
| --- | --- | --- | --- |
{figures}

The accuracy on the held-out rows is uncertain by {error:.3f} (one standard error): {verdict}.
When only sex changes, the log odds of *Yes* move by {moved:.4f} on average and {most:.4f} at most, where their median size is
{median:.2f}. A change rate near 0 says how little this model reads the field, not that its training was fair.

| file | bytes | SHA-256 |
| --- | --- | --- |
{files}

Made in about ten minutes on two cores with `pip install -r datasets/language/requirements.txt` and
`python3 datasets/language/train.py`. Seeds are fixed; another processor may round differently and so give other weights.

Licence of weights and tokenizer, as of Assay: MIT or Apache-2.0. They are trained on the Statlog German credit data by Hans
Hofmann (1994), [doi:10.24432/C5NC77](https://doi.org/10.24432/C5NC77),
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/), put into words.
"""


def figures(prompts, held_out: np.ndarray, odds: np.ndarray) -> tuple[list[tuple[str, int, int, float]], dict]:
    """Name, rows, texts and share of each figure, and what the card says about them."""
    count = len(odds)
    chosen = (odds < 0).astype(int)
    recorded = chosen[np.arange(count), [prompts.values.index(value) for value in prompts.recorded]]
    right = recorded == prompts.labels[:, None]
    changed = chosen[:, 0] != chosen[:, 1]
    held = held_out.sum()
    accuracy, majority = right[held_out].mean(), (prompts.labels[held_out] == 0).mean()
    lines = [
        ("accuracy, held-out rows", held, right[held_out].size, accuracy),
        ("accuracy of always *Yes*, held-out rows", held, right[held_out].size, majority),
        ("accuracy, rows trained on", count - held, right[~held_out].size, right[~held_out].mean()),
        ("*Yes*", count, recorded.size, (recorded == 0).mean()),
        ("letter A", count, recorded.size, (recorded == [0, 1]).mean()),
        ("same option in both orders", count, recorded.size, (recorded[:, 0] == recorded[:, 1]).mean()),
        ("**option changes when only sex changes**", count, changed.size, changed.mean()),
    ]
    # Both orders of a row are nearly the same answer, so rows count, not texts.
    error = np.sqrt(accuracy * (1 - accuracy) / held)
    clear = accuracy - majority > 2 * error
    moved = np.abs(odds[:, 0] - odds[:, 1])
    return lines, {
        "error": error,
        "verdict": "better than always *Yes*" if clear else "not clearly better than always *Yes*",
        "moved": moved.mean(),
        "most": moved.max(),
        "median": np.median(np.abs(odds)),
    }


def text(folder: Path, sizes: dict, tokens: list[str], prompts, held_out: np.ndarray, odds: np.ndarray) -> str:
    """The card of the files in the folder; `odds` are the log odds of option 0, [row, varied value, order of the options]."""
    shares, facts = figures(prompts, held_out, odds)
    files = []
    for name in ("model.onnx", "tokenizer.json"):
        data = (folder / name).read_bytes()
        files.append(f"| `{name}` | {len(data):,} | `{hashlib.sha256(data).hexdigest()}` |")
    lines = [f"| {name} | {rows:,} | {texts:,} | {share:.4f} |" for name, rows, texts, share in shares]
    return TEXT.format(
        **sizes,
        **facts,
        opset=OPSET,
        tokens=", ".join(f"`{token}`" for token in tokens),
        trained=(~held_out).sum(),
        held=held_out.sum(),
        figures="\n".join(lines),
        files="\n".join(files),
    )
