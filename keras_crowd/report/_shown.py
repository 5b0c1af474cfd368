"""Items as a reader sees them: text, or a small picture inside of the page."""

from __future__ import annotations

import base64
import html
import io
import os
import pathlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from .._arguments import shown
from ..annotations import Annotations, Preferences, rows_by_id

Show: TypeAlias = "Sequence[Any] | Mapping[Hashable, Any] | Callable[[Hashable], Any] | None"
_IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
_LONGEST, _SIDE = 240, 200  # characters, pixels


class ItemViewer:
    """The items of a report as text or pictures: given in order, by id, or by a function of the id."""

    def __init__(self, show: Show, annotations: Annotations, kept: np.ndarray | None = None) -> None:
        self._ids = annotations.items
        self._places = None if kept is None else np.flatnonzero(kept)
        self._show: Any = show
        if show is None or callable(show) or isinstance(show, Mapping):
            return
        if isinstance(annotations.kind, Preferences):
            raise ValueError(
                "`show` must be a mapping or a function of the ids of items where the answers are preferences. "
                f"Received: {type(show).__name__}"
            )
        self._show = rows_by_id("show", show, annotations)
        if len(self._show) != annotations.num_items:
            raise ValueError(
                f"`show` must have one entry for each of the {annotations.num_items} items, in their order, or be a "
                f"function or mapping of their ids. Received: {shown(show, 3)} of length {len(self._show)}"
            )

    @property
    def shows(self) -> bool:
        """Whether there is more to show than ids."""
        return self._show is not None

    def cell(self, position: int) -> str:
        """Returns the item at a position, among those kept, as HTML."""
        position = position if self._places is None else self._places[position]
        if callable(self._show) or isinstance(self._show, Mapping):
            return self.of_id(self._ids[position])
        value = self._show[position] if self._show is not None else ""
        return as_html(value, f"item {self._ids[position]}")

    def of_id(self, id_: Hashable) -> str:
        """Returns the item of an id as HTML; of preferences, ids are those of the items of a pair."""
        value = self._show(id_) if callable(self._show) else self._show.get(id_, "")
        return as_html(value, f"item {id_}")


def as_html(value: Any, alt: str) -> str:
    """Text, escaped and shortened; pixels, or the file of an image, as an image inside of the page."""
    if isinstance(value, np.ndarray) and value.ndim in (2, 3):
        return _image(_from_pixels(value), alt)
    if hasattr(value, "thumbnail"):
        return _image(value, alt)
    is_address = isinstance(value, str) and "://" in value  # nothing is fetched
    if (
        isinstance(value, str | os.PathLike)
        and not is_address
        and pathlib.Path(value).suffix.lower() in _IMAGES
    ):
        from PIL import Image

        with Image.open(value) as image:
            return _image(image, alt)
    text = str(value)
    return html.escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _from_pixels(pixels: np.ndarray) -> Any:
    from PIL import Image

    if pixels.dtype.kind == "f":
        pixels = 255 * np.clip(pixels / max(float(pixels.max(initial=0)), 1e-9), 0, 1)
    squeezed = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    image = Image.fromarray(squeezed.astype(np.uint8))
    if max(image.size) < _SIDE // 4:
        grown = _SIDE // 2 // max(image.size)
        return image.resize((image.width * grown, image.height * grown), Image.Resampling.NEAREST)
    return image


def _image(image: Any, alt: str) -> str:
    small = image.convert("RGB")
    small.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'
