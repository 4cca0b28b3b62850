"""Imports every module of served commands; each registers its commands."""

from . import (
    accounts,
    date,
    disk,
    files,
    launchctl,
    memory,
    network,
    plutil,
    power,
    process,
    system,
    tailscale,
)

MODULES = (accounts, date, disk, files, launchctl, memory, network, plutil, power, process, system, tailscale)
