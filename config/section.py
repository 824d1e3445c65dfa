"""What every table of the files is made of: no key that we do not know, and the types that several tables share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LANGUAGES = ("de", "en", "de-simple", "nds", "da", "sv", "pl", "uk")
"""Languages that the residents' texts exist in, by BCP 47; `de-simple` is German in Leichte Sprache."""


class Section(BaseModel):
    """A table of the file: frozen, and no key that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"no texts in {text!r}; there are {', '.join(LANGUAGES)}")
    return text


Flag = Annotated[bool, Field(strict=True)]
Language = Annotated[str, AfterValidator(_language)]
