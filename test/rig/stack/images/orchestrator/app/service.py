"""The service itself: it is there until it is told to end."""

import signal

print("orchestrating")
while True:
    signal.pause()
