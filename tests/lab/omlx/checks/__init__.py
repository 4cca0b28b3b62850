"""The facts about oMLX (facts/omlx.md), each as a check against a running server.

A check marked BOTH runs against the contract server of 0.3.8 and against the real server (flyto-0.7.0): that the same assertion
holds for both is the evidence that the contract server is not an invention. A check marked CONTRACT holds what only 0.3.8
does, or what cannot be seen without Apple's hardware or hundreds of gigabytes.
"""
