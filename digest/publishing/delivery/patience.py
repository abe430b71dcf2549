"""Patience: how long a deferred reader is tried, and when next."""

from collections.abc import Callable
from datetime import datetime, timedelta

from digest.model.delivery import Delivery, DeliveryState
from digest.sender.retry import GiveUp, next_attempt


class Patience:
    """How long a deferred reader is tried, and when next (`digest.sender.retry`)."""

    def __init__(self, give_up_after: timedelta, dice: Callable[[], float]) -> None:
        self._give_up_after = give_up_after
        self._dice = dice

    def with_one(
        self, delivery: Delivery, reply: str, now: datetime
    ) -> tuple[DeliveryState, str, datetime | None]:
        """The state of a delivery that was put off, what to record, and when to try again."""
        again = next_attempt(
            delivery.first_attempt_at or now,
            delivery.attempts,
            now,
            self._dice(),
            give_up_after=self._give_up_after,
        )
        if isinstance(again, GiveUp):
            return DeliveryState.REJECTED, f"{again.reason}: {reply}", None
        return DeliveryState.DEFERRED, reply, again
