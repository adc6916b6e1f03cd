"""BiomedCLIP (Zhang et al., arXiv 2303.00915) from its open_clip folder: a vision transformer and PubMedBERT.

The folder is what open_clip and the model's page call it: open_clip_config.json, open_clip_pytorch_model.bin (or
open_clip_model.safetensors) and the tokenizer's files. The two encoders are built here with the names of the weights, so
neither open_clip, timm nor torchvision is needed; sizes are read off the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from LGETextDetectLib.refusal import InputRefused
from torch import Tensor, nn
from torch.nn import functional

from .zero_shot import CLIP_MEAN, CLIP_SD, SliceModel, as_photos, layer_count, read_weights

PROMPTS: tuple[tuple[str, str], ...] = (
    ("this is a photo of cardiac MRI with late gadolinium enhancement", "this is a photo of cardiac MRI without late gadolinium enhancement"),
    ("this is a photo of myocardial scar on short-axis cardiac MRI", "this is a photo of normal myocardium on short-axis cardiac MRI"),
    ("this is a photo of a heart with myocardial infarction", "this is a photo of a healthy heart"),
)  # fmt: skip
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
HEAD_WIDTH = 64  # of every attention head of ViT and BERT
LONGEST = 64  # words of a prompt


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD_WIDTH
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        count, length, width = x.shape
        q, k, v = self.qkv(x).view(count, length, 3, self.heads, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(count, length, width))


class _Block(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = _Attention(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm2(x))))


class _Trunk(nn.Module):
    """ViT with class token: (N, 3, H, W) -> (N, width)."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        width, _, patch, _ = state["patch_embed.proj.weight"].shape
        self.cls_token = nn.Parameter(torch.zeros_like(state["cls_token"]))
        self.pos_embed = nn.Parameter(torch.zeros_like(state["pos_embed"]))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        inner = len(state["blocks.0.mlp.fc1.bias"])
        self.blocks = nn.Sequential(*(_Block(width, inner) for _ in range(layer_count(state, "blocks."))))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, image: Tensor) -> Tensor:
        patches = self.patch_embed["proj"](image).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(image), -1, -1), patches], 1) + self.pos_embed
        return self.norm(self.blocks(x))[:, 0]


class BiomedClip(nn.Module):
    """Both encoders; ``state`` gives names and sizes and is loaded strictly."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        from transformers import BertModel

        state = {key: value for key, value in state.items() if not key.endswith("position_ids")}
        trunk = _below(state, "visual.trunk.")
        self.trunk = _Trunk(trunk)
        self.head = _projection(state["visual.head.proj.weight"])
        bert = _below(state, "text.transformer.")
        self.bert = BertModel(_bert_config(bert), add_pooling_layer="pooler.dense.weight" in bert)
        first, last = state["text.proj.0.weight"], state["text.proj.2.weight"]
        self.text_head = nn.Sequential(_projection(first), nn.GELU(), _projection(last))
        self.scale = float(state["logit_scale"].exp())
        self.trunk.load_state_dict(trunk)
        self.head.load_state_dict({"weight": state["visual.head.proj.weight"]})
        self.bert.load_state_dict(bert)
        self.text_head.load_state_dict({"0.weight": first, "2.weight": last})

    def image_features(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) to unit vectors (N, E)."""
        return functional.normalize(self.head(self.trunk(image)), dim=-1)

    def text_features(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(P, L) token numbers and mask to unit vectors (P, E)."""
        states = self.bert(input_ids=tokens, attention_mask=mask).last_hidden_state
        return functional.normalize(self.text_head(states[:, 0]), dim=-1)


def _projection(weight: Tensor) -> nn.Linear:
    """A linear layer without bias of a weight's size."""
    return nn.Linear(weight.shape[1], weight.shape[0], bias=False)


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def _bert_config(state: dict[str, Tensor]) -> Any:
    from transformers import BertConfig

    words, width = state["embeddings.word_embeddings.weight"].shape
    return BertConfig(
        vocab_size=words, hidden_size=width, num_hidden_layers=layer_count(state, "encoder.layer."),
        num_attention_heads=width // HEAD_WIDTH, intermediate_size=len(state["encoder.layer.0.intermediate.dense.bias"]),
        max_position_embeddings=len(state["embeddings.position_embeddings.weight"]),
    )  # fmt: skip


def load_biomedclip(folder: Path) -> SliceModel:
    """Slices to probabilities of scar: softmax of affirmative and negative prompt, mean over the pairs of PROMPTS.

    Raises InputRefused('bad-weights') when the folder is not BiomedCLIP's.
    """
    from transformers import AutoTokenizer

    try:
        config = json.loads((folder / "open_clip_config.json").read_text("utf-8"))
        model = BiomedClip(read_weights(folder, WEIGHTS)).eval()
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        size = int(config["model_cfg"]["vision_cfg"].get("image_size", 224))
        preprocess = config.get("preprocess_cfg", {})
        mean, sd = tuple(preprocess.get("mean", CLIP_MEAN)), tuple(preprocess.get("std", CLIP_SD))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputRefused("bad-weights", f"The folder does not hold BiomedCLIP ({type(error).__name__}).") from error
    words = tokenizer(
        [text for pair in PROMPTS for text in pair],
        padding=True,
        truncation=True,
        max_length=LONGEST,
        return_tensors="pt",
    )
    with torch.inference_mode():
        text = model.text_features(words["input_ids"], words["attention_mask"])

    def score(grey: Tensor) -> Tensor:
        with torch.inference_mode():
            logits = model.scale * model.image_features(as_photos(grey, size, mean, sd)) @ text.T
            return logits.view(len(grey), len(PROMPTS), 2).softmax(-1)[..., 0].mean(1)

    return score
