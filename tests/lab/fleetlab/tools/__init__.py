"""The commands of a Mac, as far as a tool that manages Macs can notice.

A command is either *served* (a Python function runs it, in a process with the caller's rights and streams) or
*translated* (its arguments are checked by BSD's rules, then a real program of Debian runs). `registry` says which.
"""
