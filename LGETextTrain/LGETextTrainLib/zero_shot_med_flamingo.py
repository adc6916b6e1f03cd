"""Med-Flamingo (Moor et al., arXiv 2307.15189): a language model that looks at an image through gated cross-attention.

The folder holds ``language/`` (LLaMA-7B as a transformers folder, with tokenizer), ``vision/`` (CLIP ViT-L/14 as a
transformers folder) and ``model.pt`` (Med-Flamingo's own weights, named as OpenFlamingo names them). The perceiver and the
gated layers are built here with those names, so OpenFlamingo, which wants an old PyTorch, is not needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from LGETextDetectLib.refusal import InputRefused
from torch import Tensor, nn
from torch.nn import functional

from .zero_shot import SliceModel, as_photos, layer_count, read_weights

PROMPT = (
    "You are a helpful medical assistant. You are given a question about an image and you answer with yes or no.\n"
    "<image>Question: Does this short-axis cardiac MR image show late gadolinium enhancement of the left ventricular "
    "myocardium? Answer:"
)
ANSWERS = ("yes", "no")
IMAGE_WORD, END_WORD, PAD_WORD = "<image>", "<|endofchunk|>", "<PAD>"
HEAD_WIDTH = 64  # of every attention head of OpenFlamingo


def _feed_forward(width: int, inner: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, inner, bias=False), nn.GELU(), nn.Linear(inner, width, bias=False)
    )


def _attend(q: Tensor, kv: Tensor) -> Tensor:
    """(N, Q, H * 64) asks (N, K, 2 * H * 64); returns (N, Q, H * 64)."""
    k, v = kv.chunk(2, -1)
    q, k, v = (t.unflatten(-1, (-1, HEAD_WIDTH)).transpose(1, 2) for t in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class _PerceiverAttention(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.norm_media, self.norm_latents = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_kv = nn.Linear(width, inner, bias=False), nn.Linear(width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, patches: Tensor, latents: Tensor) -> Tensor:
        patches, latents = self.norm_media(patches), self.norm_latents(latents)
        return self.to_out(_attend(self.to_q(latents), self.to_kv(torch.cat([patches, latents], 1))))


class Perceiver(nn.Module):
    """Patches (N, P, W) to a fixed number of latents (N, L, W); sizes and names from ``state``."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.zeros_like(state["latents"]))
        width, inner = self.latents.shape[1], len(state["layers.0.0.to_q.weight"])
        hidden = len(state["layers.0.1.1.weight"])
        self.layers = nn.ModuleList(
            nn.ModuleList([_PerceiverAttention(width, inner), _feed_forward(width, hidden)])
            for _ in range(layer_count(state, "layers."))
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, patches: Tensor) -> Tensor:
        latents = self.latents.expand(len(patches), -1, -1)
        for layer in self.layers:
            attention, feed_forward = cast(nn.ModuleList, layer)
            latents = attention(patches, latents) + latents
            latents = feed_forward(latents) + latents
        return self.norm(latents)


class _MaskedCrossAttention(nn.Module):
    def __init__(self, width: int, seen: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.to_q, self.to_kv = nn.Linear(width, inner, bias=False), nn.Linear(seen, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)


class GatedLayer(nn.Module):
    """Words (N, T, D) look at the image's latents (N, L, W); words before the image see nothing."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        inner, width = state["attn.to_q.weight"].shape
        self.attn = _MaskedCrossAttention(width, state["attn.to_kv.weight"].shape[1], inner)
        self.attn_gate, self.ff_gate = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.ff = _feed_forward(width, len(state["ff.1.weight"]))

    def forward(self, words: Tensor, latents: Tensor, after_image: Tensor) -> Tensor:
        seen = _attend(self.attn.to_q(self.attn.norm(words)), self.attn.to_kv(latents))
        seen = self.attn.to_out(seen * after_image[..., None])
        words = seen * self.attn_gate.tanh() + words
        return self.ff(words) * self.ff_gate.tanh() + words


class MedFlamingo(nn.Module):
    """One image and a text to the logits of the next word."""

    def __init__(self, vision: nn.Module, language: Any, state: dict[str, Tensor], image_token: int) -> None:
        super().__init__()
        self.vision, self.language, self.image_token = vision, language, image_token
        self.perceiver = _filled(Perceiver, _below(state, "perceiver."))
        gated = {n: _gated_state(state, n) for n in range(language.config.num_hidden_layers)}
        self.gated = nn.ModuleDict({str(n): _filled(GatedLayer, part) for n, part in gated.items() if part})
        if not self.gated:
            raise KeyError("no gated layer")
        embedding = state.get("lang_encoder.model.embed_tokens.weight")
        if embedding is not None:
            language.get_input_embeddings().load_state_dict({"weight": embedding})
        for number, layer in self.gated.items():
            language.model.layers[int(number)].register_forward_pre_hook(self._looking(layer), with_kwargs=True)
        self._latents, self._after_image = torch.zeros(0), torch.zeros(0)

    def _looking(self, gated: nn.Module) -> Any:
        """The hook by which a decoder layer first looks at the image."""

        def look(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            if args:
                return (gated(args[0], self._latents, self._after_image), *args[1:]), kwargs
            return args, {**kwargs, "hidden_states": gated(kwargs["hidden_states"], self._latents, self._after_image)}

        return look

    def forward(self, image: Tensor, tokens: Tensor) -> Tensor:
        """(N, 3, H, W) images and (T,) tokens, the same for all, to (N, words) logits of what follows."""
        patches = self.vision(pixel_values=image).last_hidden_state[:, 1:]
        self._latents = self.perceiver(patches)
        rows = tokens.expand(len(image), -1)
        self._after_image = ((rows == self.image_token).cumsum(1) > 0).to(patches.dtype)
        return self.language(input_ids=rows, use_cache=False).logits[:, -1]


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def _gated_state(state: dict[str, Tensor], number: int) -> dict[str, Tensor]:
    """Weights of one gated layer under either of OpenFlamingo's names; empty where there is none."""
    return _below(state, f"lang_encoder.gated_cross_attn_layers.{number}.") or _below(
        state, f"lang_encoder.model.layers.{number}.gated_cross_attn_layer."
    )


def _filled(kind: type[nn.Module], state: dict[str, Tensor]) -> nn.Module:
    module = kind(state)
    module.load_state_dict(state)
    return module


def load_med_flamingo(folder: Path) -> SliceModel:
    """Slices to probabilities of scar: that of 'yes' against 'no' as the next word after PROMPT.

    Raises InputRefused('bad-weights') when the folder does not hold the three parts.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer, CLIPVisionModel

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder / "language"), local_files_only=True)
        tokenizer.add_special_tokens({"additional_special_tokens": [END_WORD, IMAGE_WORD]})
        if tokenizer.pad_token is None:
            tokenizer.add_special_tokens({"pad_token": PAD_WORD})
        # LLaMA is offered in float16, what is built here is float32.
        language = AutoModelForCausalLM.from_pretrained(str(folder / "language"), local_files_only=True).float()
        language.resize_token_embeddings(len(tokenizer))
        vision = CLIPVisionModel.from_pretrained(str(folder / "vision"), local_files_only=True).float()
        image_token = cast(int, tokenizer.convert_tokens_to_ids(IMAGE_WORD))
        model = MedFlamingo(
            vision, language, read_weights(folder, ("model.safetensors", "model.pt")), image_token
        ).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputRefused("bad-weights", f"The folder does not hold Med-Flamingo ({type(error).__name__}).") from error
    tokens = torch.tensor(tokenizer(PROMPT)["input_ids"])
    yes, no = (int(tokenizer(word, add_special_tokens=False)["input_ids"][0]) for word in ANSWERS)
    size = cast(int, vision.config.image_size)

    def score(grey: Tensor) -> Tensor:
        with torch.inference_mode():
            logits = torch.cat([model(as_photos(part, size), tokens) for part in grey.split(1)])
            return logits[:, [yes, no]].softmax(-1)[:, 0]

    return score
