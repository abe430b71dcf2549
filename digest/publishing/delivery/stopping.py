"""Stopping: how a delivery run is asked to end."""


class Stop:
    """A request to end in order: what is under way is finished, nothing new is begun.

    A round that only `rests` goes on later, after others have had their turn.
    """

    def __init__(self) -> None:
        self.requested = False
        self.rests = False
        self.begun = False

    def request(self) -> None:
        """Ask. Safe from a signal handler of the event loop."""
        self.requested = True
        self.rests = False

    def rest(self) -> None:
        """Ask for a pause, unless the round ends anyway."""
        if not self.requested:
            self.requested = self.rests = True
