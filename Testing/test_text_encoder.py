"""The text encoder looks at words alone: padding of a sentence changes nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from LGETextDetectLib.backends import load_onnx  # noqa: E402
from LGETextDetectLib.tokens import MEASURES, PLACES  # noqa: E402
from LGETextTrainLib.language import LanguageConfig, TextEncoder  # noqa: E402
from LGETextTrainLib.train_language import make_tokenizer  # noqa: E402

SENTENCES = ["late enhancement in segments 2 and 3", "no late enhancement"]


def test_padding_of_a_sentence_says_nothing() -> None:
    """The mask was once added as 1 where it should have hidden the padding."""
    torch.manual_seed(5)
    tokenizer = make_tokenizer()
    text = TextEncoder(LanguageConfig(MEASURES, PLACES, len(tokenizer.words), 48)).eval()
    words = torch.from_numpy(tokenizer.encode(SENTENCES))
    longest = int((words > 0).sum(1).max())
    with torch.inference_mode():
        assert torch.allclose(text(words[:, :longest]), text(words), atol=1e-5)


def test_the_exported_graph_says_the_same(untrained_bundle) -> None:
    tokens, words = 72, make_tokenizer().encode(SENTENCES)
    rng, longest = np.random.default_rng(0), int((words > 0).sum(1).max())
    study = {
        "values": rng.normal(0, 1, (tokens, MEASURES)).astype(np.float32),
        "places": rng.normal(0, 1, (tokens, PLACES)).astype(np.float32),
        "present": np.ones(tokens, np.float32),
        "allowed": np.ones((1, tokens), np.float32),
    }
    graph = load_onnx(untrained_bundle / "language.onnx")
    short, padded = (graph(**study, affirm=w[:1], deny=w[1:])[0] for w in (words[:, :longest], words))
    assert short == pytest.approx(padded, abs=1e-5)
