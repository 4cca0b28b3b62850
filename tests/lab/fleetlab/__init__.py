"""Hosts that behave as Macs, for the tests of a tool that manages Macs.

See ../README.md for what is imitated, what is not, and every knob.
"""
