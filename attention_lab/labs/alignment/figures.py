"""Still pictures of notebook 05."""

import torch

from attention_lab.models.data.translation import translate
from attention_lab.pictures import figures
from attention_lab.pictures.picture import Picture

__all__ = ["crossing"]


def crossing() -> Picture:
    """Draw the alignment of a phrase whose words change their order."""
    phrase = translate("my sister 's heavy black books")
    alignment = torch.zeros(len(phrase.french), len(phrase.english))
    alignment[range(len(phrase.french)), list(phrase.alignment)] = 1
    return figures.flow(
        alignment,
        phrase.english,
        phrase.french,
        title="Which English word each French word translates",
    )
