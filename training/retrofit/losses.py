"""What a retrofit minimises."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class TokenLosses:
    """Follows ``Losses``. ``total``: the mean cost of a token that is learnt from, in nats."""

    total: Tensor

    def by_name(self) -> dict[str, Tensor]:
        return {"nats": self.total}
