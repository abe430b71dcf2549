"""`digest` on a machine whose name server can fail: it does so as long as a certain file exists.

The file is named in NO_DNS_WHILE. Otherwise `relay.example` is this machine. What is replaced is
the system's resolver, and uvloop, which would ask it in a way of its own, is as if not installed.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

sys.modules["uvloop"] = None  # type: ignore[assignment] # as Python marks what cannot be imported

_asked = socket.getaddrinfo


def _answer(host: Any, *arguments: Any, **options: Any) -> Any:
    if Path(os.environ["NO_DNS_WHILE"]).exists():
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _asked("127.0.0.1" if host == "relay.example" else host, *arguments, **options)


socket.getaddrinfo = _answer

if __name__ == "__main__":
    from digest.__main__ import main

    main()
