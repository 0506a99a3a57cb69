"""What every part of the contract's model has in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A mapping of the file: its types are taken as written, other keys refused, nothing changed afterwards."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", hide_input_in_errors=True, validate_by_name=False
    )
