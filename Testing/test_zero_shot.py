"""Adapters of other models, run on tiny random weights under the names that the real ones use."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from LGETextDetectLib.events import Events
from LGETextDetectLib.refusal import InputRefused
from LGETextDetectLib.volume import Volume
from LGETextDetectLib.volume_files import write_nrrd

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from LGETextTrainLib import zero_shot_biomedclip, zero_shot_med_flamingo  # noqa: E402
from LGETextTrainLib.zero_shot import as_photos, grey_slices, read_weights, study_score, zero_shot_scores  # noqa: E402
from LGETextTrainLib.zero_shot_biomedclip import load_biomedclip  # noqa: E402
from LGETextTrainLib.zero_shot_med_flamingo import load_med_flamingo  # noqa: E402

WIDTH, PATCH, SIZE, EMBEDDING = 128, 16, 32, 24
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "this",
    "is",
    "a",
    "photo",
    "of",
    "cardiac",
    "scar",
    "normal",
    "with",
    "without",
    "heart",
]


def random_state(shapes: dict[str, tuple[int, ...]]) -> dict:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) * 0.3 for name, shape in shapes.items()}


def linear(name: str, inside: int, outside: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outside, inside), **({f"{name}.bias": (outside,)} if bias else {})}


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def biomedclip_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of BiomedCLIP's weights, two layers each, 128 wide."""
    shapes: dict[str, tuple[int, ...]] = {
        "logit_scale": (), "visual.trunk.cls_token": (1, 1, WIDTH), "visual.trunk.pos_embed": (1, (SIZE // PATCH) ** 2 + 1, WIDTH),
        "visual.trunk.patch_embed.proj.weight": (WIDTH, 3, PATCH, PATCH), "visual.trunk.patch_embed.proj.bias": (WIDTH,),
        **linear("visual.head.proj", WIDTH, EMBEDDING, False), **norm("visual.trunk.norm", WIDTH),
        "text.transformer.embeddings.position_ids": (1, 40),
        "text.transformer.embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "text.transformer.embeddings.position_embeddings.weight": (40, WIDTH),
        "text.transformer.embeddings.token_type_embeddings.weight": (2, WIDTH), **norm("text.transformer.embeddings.LayerNorm", WIDTH),
        **linear("text.proj.0", WIDTH, 76, False), **linear("text.proj.2", 76, EMBEDDING, False),
    }  # fmt: skip
    for k in range(2):
        block, layer = f"visual.trunk.blocks.{k}", f"text.transformer.encoder.layer.{k}"
        shapes |= norm(f"{block}.norm1", WIDTH) | norm(f"{block}.norm2", WIDTH)
        shapes |= linear(f"{block}.attn.qkv", WIDTH, 3 * WIDTH) | linear(f"{block}.attn.proj", WIDTH, WIDTH)
        shapes |= linear(f"{block}.mlp.fc1", WIDTH, 256) | linear(f"{block}.mlp.fc2", 256, WIDTH)
        for name in ("query", "key", "value"):
            shapes |= linear(f"{layer}.attention.self.{name}", WIDTH, WIDTH)
        shapes |= linear(f"{layer}.attention.output.dense", WIDTH, WIDTH) | norm(
            f"{layer}.attention.output.LayerNorm", WIDTH
        )
        shapes |= linear(f"{layer}.intermediate.dense", WIDTH, 256) | linear(f"{layer}.output.dense", 256, WIDTH)
        shapes |= norm(f"{layer}.output.LayerNorm", WIDTH)
    return shapes


@pytest.fixture(scope="module")
def biomedclip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("biomedclip")
    torch.save(random_state(biomedclip_shapes()), folder / "open_clip_pytorch_model.bin")
    config = {
        "model_cfg": {
            "embed_dim": EMBEDDING,
            "vision_cfg": {"image_size": SIZE, "timm_model_name": "vit_base_patch16_224"},
        }
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    (folder / "vocab.txt").write_text("\n".join(WORDS), "utf-8")
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "BertTokenizer", "do_lower_case": true}', "utf-8"
    )
    return folder


def flamingo_shapes(seen: int, width: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of OpenFlamingo's trained weights: perceiver, and a gated layer at every second of four."""
    inner = 128
    shapes: dict[str, tuple[int, ...]] = {"perceiver.latents": (5, seen), **norm("perceiver.norm", seen)}
    for k in range(2):
        one = f"perceiver.layers.{k}"
        shapes |= (
            norm(f"{one}.0.norm_media", seen)
            | norm(f"{one}.0.norm_latents", seen)
            | linear(f"{one}.0.to_q", seen, inner, False)
        )
        shapes |= linear(f"{one}.0.to_kv", seen, 2 * inner, False) | linear(f"{one}.0.to_out", inner, seen, False)
        shapes |= (
            norm(f"{one}.1.0", seen)
            | linear(f"{one}.1.1", seen, 4 * seen, False)
            | linear(f"{one}.1.3", 4 * seen, seen, False)
        )
    for k in (1, 3):
        one = f"lang_encoder.gated_cross_attn_layers.{k}"
        shapes |= (
            {f"{one}.attn_gate": (1,), f"{one}.ff_gate": (1,)}
            | norm(f"{one}.attn.norm", width)
            | norm(f"{one}.ff.0", width)
        )
        shapes |= linear(f"{one}.attn.to_q", width, inner, False) | linear(f"{one}.attn.to_kv", seen, 2 * inner, False)
        shapes |= linear(f"{one}.attn.to_out", inner, width, False)
        shapes |= linear(f"{one}.ff.1", width, 4 * width, False) | linear(f"{one}.ff.3", 4 * width, width, False)
    return shapes


@pytest.fixture(scope="module")
def med_flamingo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("med-flamingo")
    words = [
        "<unk>",
        "<s>",
        "yes",
        "no",
        "Question",
        ":",
        "Does",
        "image",
        "show",
        "Answer",
        "you",
        "are",
        "a",
        "?",
        "<",
        ">",
    ]
    tokenizer = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>").save_pretrained(
        folder / "language"
    )
    torch.manual_seed(0)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=4,
            num_attention_heads=2,
            max_position_embeddings=128,
        )
    ).save_pretrained(folder / "language")
    CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=SIZE,
            patch_size=PATCH,
        )
    ).save_pretrained(folder / "vision")
    torch.save(random_state(flamingo_shapes(48, 32)), folder / "model.pt")
    return folder


def slices(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 2, (count, 96, 96)).astype(np.float32)


def test_biomedclip_scores_every_slice_by_its_pixels(biomedclip: Path) -> None:
    model = load_biomedclip(biomedclip)
    scores = model(grey_slices(slices()))
    assert scores.shape == (4,)
    assert ((scores > 0) & (scores < 1)).all()
    assert scores.std() > 1e-4
    assert torch.allclose(model(grey_slices(slices()[:1])), scores[:1], atol=1e-5)


def test_biomedclip_prompts_oppose_each_other(biomedclip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = load_biomedclip(biomedclip)(grey_slices(slices()))
    monkeypatch.setattr(zero_shot_biomedclip, "PROMPTS", tuple((b, a) for a, b in zero_shot_biomedclip.PROMPTS))
    assert torch.allclose(load_biomedclip(biomedclip)(grey_slices(slices())), 1 - scores, atol=1e-5)


def test_med_flamingo_looks_at_the_image(med_flamingo: Path) -> None:
    scores = load_med_flamingo(med_flamingo)(grey_slices(slices()))
    assert scores.shape == (4,)
    assert ((scores > 0) & (scores < 1)).all()
    assert scores.std() > 1e-6


def test_med_flamingo_of_half_precision_answers_alike(med_flamingo: Path, tmp_path: Path) -> None:
    from transformers import CLIPVisionModel, LlamaForCausalLM

    shutil.copytree(med_flamingo, tmp_path / "half")
    for name, kind in (("language", LlamaForCausalLM), ("vision", CLIPVisionModel)):
        kind.from_pretrained(med_flamingo / name).half().save_pretrained(tmp_path / "half" / name)
    whole, half = (load_med_flamingo(folder)(grey_slices(slices())) for folder in (med_flamingo, tmp_path / "half"))
    assert torch.allclose(whole, half, atol=1e-2)


def test_med_flamingo_is_blind_with_closed_gates(med_flamingo: Path, tmp_path: Path) -> None:
    state = torch.load(med_flamingo / "model.pt", weights_only=True)
    for name in state:
        if name.endswith("_gate"):
            state[name] = torch.zeros(1)
    for name in ("language", "vision"):
        (tmp_path / name).symlink_to(med_flamingo / name)
    torch.save(state, tmp_path / "model.pt")
    scores = load_med_flamingo(tmp_path)(grey_slices(slices()))
    assert torch.allclose(scores, scores[0].expand(4), atol=1e-6)


def test_words_before_the_image_see_nothing(med_flamingo: Path) -> None:
    state = read_weights(med_flamingo, ("model.pt",))
    layer = zero_shot_med_flamingo._filled(
        zero_shot_med_flamingo.GatedLayer, zero_shot_med_flamingo._gated_state(state, 1)
    )
    words, after = torch.randn(1, 3, 32), torch.tensor([[0.0, 1.0, 1.0]])
    first, second = (layer(words, latents, after) for latents in (torch.zeros(1, 5, 48), torch.randn(1, 5, 48)))
    assert torch.equal(first[:, 0], second[:, 0])
    assert not torch.allclose(first[:, 1], second[:, 1])


def test_every_study_gets_a_score(biomedclip: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_nrrd(Volume(slices(), np.diag([8.0, 1.25, 1.25, 1.0])), tmp_path / name / "normalised.nrrd")
    scores = zero_shot_scores(tmp_path, biomedclip, None, Events())
    assert set(scores["BiomedCLIP, zero-shot"] or {}) == {"a", "b"}
    assert scores["Med-Flamingo, zero-shot"] is None


def test_the_two_highest_slices_make_the_score() -> None:
    assert study_score(torch.tensor([0.1, 0.9, 0.5, 0.2])) == pytest.approx(0.7)
    assert study_score(torch.tensor([0.4])) == pytest.approx(0.4)


def test_photos_keep_grey_and_size() -> None:
    photos = as_photos(torch.full((2, 96, 96), 0.5), SIZE, (0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
    assert photos.shape == (2, 3, SIZE, SIZE)
    assert photos.abs().max() < 1e-6


def test_foreign_folders_are_refused(tmp_path: Path, biomedclip: Path) -> None:
    for load in (load_biomedclip, load_med_flamingo):
        with pytest.raises(InputRefused, match="bad-weights"):
            load(tmp_path)
    (tmp_path / "open_clip_config.json").write_text('{"model_cfg": {}}', "utf-8")
    torch.save({"a": torch.zeros(1)}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(InputRefused, match="bad-weights"):
        load_biomedclip(tmp_path)


def test_weights_that_would_execute_are_refused(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple:
            return (print, ("executed",))

    torch.save({"a": Harmful()}, tmp_path / "model.pt")
    with pytest.raises(InputRefused, match="bad-weights"):
        read_weights(tmp_path, ("model.pt",))
