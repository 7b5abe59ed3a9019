"""Runs moto_server with recorders that succeed.

moto's recorders stay PENDING after their start; those of AWS get SUCCESS when they have recorded.
"""

from __future__ import annotations

import sys

from moto.config.models import ConfigRecorderStatus
from moto.server import main

start_pending = ConfigRecorderStatus.start


def start(self: ConfigRecorderStatus) -> None:
    start_pending(self)
    self.last_status = "SUCCESS"


if __name__ == "__main__":
    ConfigRecorderStatus.start = start
    sys.exit(main())
