"""The text side: study tokens and sentences in one space, as in CLIP, with a caption decoder as in CoCa.

A sentence attends to the study's tokens and so draws its own image embedding from them; the answer compares that
embedding with the affirmative and with the negative wording.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertLMHeadModel, BertModel


@dataclass(frozen=True)
class LanguageConfig:
    """Sizes of the text side; ``vocabulary`` counts the words of the tokenizer."""

    values: int
    places: int
    vocabulary: int
    width: int = 96
    layers: int = 2
    heads: int = 4
    length: int = 64
    dropout: float = 0.1

    def bert(self, decoder: bool = False) -> BertConfig:
        return BertConfig(
            vocab_size=self.vocabulary, hidden_size=self.width, num_hidden_layers=1 if decoder else self.layers, num_attention_heads=self.heads,
            intermediate_size=2 * self.width, max_position_embeddings=self.length, hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout, is_decoder=decoder, add_cross_attention=decoder, pad_token_id=0,
            attn_implementation="eager", use_cache=False,  # type: ignore[call-arg]
        )  # fmt: skip


class StudyEncoder(nn.Module):
    """(B, T, values), (B, T, places), (B, T) present -> (B, T, width): every token with its place and the study's context."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.values = nn.Sequential(
            nn.Linear(config.values, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.places = nn.Sequential(
            nn.Linear(config.places, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )
        self.context = nn.Sequential(
            nn.Linear(2 * config.width, config.width), nn.GELU(), nn.Linear(config.width, config.width)
        )
        self.joined = nn.Sequential(
            nn.LayerNorm(config.width),
            nn.Linear(config.width, 2 * config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * config.width, config.width),
        )
        self.normed = nn.LayerNorm(config.width)

    def forward(self, values: Tensor, places: Tensor, present: Tensor) -> Tensor:
        seen = present[..., None].to(values.dtype)
        tokens = self.values(values) + self.places(places)
        mean = (tokens * seen).sum(1) / (seen.sum(1) + 1e-3)
        highest = (tokens - 1e3 * (1 - seen)).amax(1)
        tokens = tokens + self.context(torch.cat([mean, highest], -1))[:, None]
        return self.normed(tokens + self.joined(tokens))


class TextEncoder(nn.Module):
    """(P, L) word numbers, 0 = padding -> (P, width): mean of a small BERT's last layer."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.bert = BertModel(config.bert(), add_pooling_layer=False)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, words: Tensor) -> Tensor:
        mask = (words > 0).float()
        hidden = self.bert(input_ids=words, attention_mask=mask).last_hidden_state
        return self.out((hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


class LanguageModel(nn.Module):
    """Scores of sentences for studies; ``head`` is the plain classifier on the same tokens, for comparison only."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.study, self.text = StudyEncoder(config), TextEncoder(config)
        self.query, self.key, self.value = (nn.Linear(config.width, config.width) for _ in range(3))
        self.image = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )
        self.log_scale = nn.Parameter(torch.tensor(2.0))
        self.sharpness = nn.Parameter(torch.zeros(config.heads))
        self.caption = BertLMHeadModel(config.bert(decoder=True))
        self.head_query = nn.Parameter(torch.randn(config.width) * 0.1)
        self.head = nn.Linear(config.width, 1)

    def attend(self, query: Tensor, tokens: Tensor, present: Tensor) -> Tensor:
        """query (B, P, W), tokens (B, T, W), present (B, P, T) -> image embeddings (B, P, W)."""
        heads = self.config.heads
        split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = split(self.query(query)), split(self.key(tokens)), split(self.value(tokens))
        score = q @ k.transpose(-1, -2) * (self.sharpness.exp()[:, None, None] / (self.config.width / heads) ** 0.5)
        score = score - 1e4 * (1 - present[:, None].to(score.dtype))
        return (score.softmax(-1) @ v).transpose(1, 2).flatten(2)

    def answer(self, tokens: Tensor, present: Tensor, affirm: Tensor, deny: Tensor) -> Tensor:
        """Encoded tokens (B, T, W), present (B, P, T), sentence embeddings (B, P, W) -> logits (B, P)."""
        image = nn.functional.normalize(self.image(self.attend(affirm, tokens, present)), dim=-1)
        difference = nn.functional.normalize(affirm, dim=-1) - nn.functional.normalize(deny, dim=-1)
        return self.log_scale.exp() * (image * difference).sum(-1)

    def match(self, tokens: Tensor, present: Tensor, reports: Tensor) -> Tensor:
        """Encoded tokens (B, T, W), present (B, T), report embeddings (R, W) -> scaled cosine of each pair (B, R)."""
        wanted = reports[None].expand(len(tokens), -1, -1)
        image = nn.functional.normalize(
            self.image(self.attend(wanted, tokens, present[:, None].expand(-1, len(reports), -1))), dim=-1
        )
        return self.log_scale.exp() * (image * nn.functional.normalize(wanted, dim=-1)).sum(-1)

    def forward(
        self, values: Tensor, places: Tensor, present: Tensor, allowed: Tensor, affirm: Tensor, deny: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One study: values (T, F), places (T, G), present (T,), allowed (P, T), word numbers (P, L) twice -> logits (P,), head (1,)."""
        tokens = self.study(values[None], places[None], present[None])
        sentences = self.text(torch.cat([affirm, deny]))
        positive, negative = sentences[: affirm.shape[0]], sentences[affirm.shape[0] :]
        logits = self.answer(tokens, allowed[None], positive[None], negative[None])
        return logits[0], self.plain(tokens, present[None])

    def plain(self, tokens: Tensor, present: Tensor) -> Tensor:
        """(B,) presence logit without text."""
        pooled = self.attend(self.head_query.expand(len(tokens), 1, -1), tokens, present[:, None])
        return self.head(pooled)[:, 0, 0]

    def caption_loss(self, tokens: Tensor, present: Tensor, words: Tensor) -> Tensor:
        """Negative log-likelihood per word of each study's sentence, (B, L) word numbers."""
        labels = words.masked_fill(words == 0, -100)
        return self.caption(
            input_ids=words,
            attention_mask=(words > 0).long(),
            encoder_hidden_states=tokens,
            encoder_attention_mask=present.long(),
            labels=labels,
        ).loss

    def settings(self) -> dict[str, float | int]:
        return asdict(self.config)
