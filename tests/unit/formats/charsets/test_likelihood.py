"""Which encoding is named first for a text that is not Chinese."""

from __future__ import annotations

import pytest

from shared.formats.charsets.likelihood import readings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1252", "Le café était fermé à Noël déjà"),
        ("windows-1252", "Où êtes-vous allés ? Ça ne va pas"),
        ("windows-1252", "Das Gerät ist großartig"),
        ("windows-1252", "Envío rápido, pésima atención"),
        ("windows-1252", "ótimo, coração, ações"),
        ("windows-1252", "Rødgrød med fløde på"),
        ("windows-1250", "Příliš žluťoučký kůň"),
        ("windows-1254", "Çok güzel ürün teşekkürler"),
        ("windows-1251", "Очень хороший товар iPhone"),
        ("windows-1255", "מוצר טוב מאוד"),
        ("windows-1256", "منتج جيد جدا"),
    ],
)
@pytest.mark.parametrize("lines", [1, 20])
def test_a_word_in_two_alphabets_is_less_likely_than_an_accent(encoding: str, text: str, lines: int) -> None:
    found = readings("\n".join([text] * lines).encode(encoding))

    assert found[0].encoding == encoding
