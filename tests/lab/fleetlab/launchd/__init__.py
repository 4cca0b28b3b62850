"""A launchd: supervises a host's daemons by the rules that macOS documents or shows.

`definition` reads property lists, `job` is one service and its process, `calendar` computes timed starts, `domains`
holds the loaded services, `report` writes what `launchctl print` shows, `server` is the event loop and its socket.
"""
