"""An ASGI application in the place of LiteLLM's: reads its configuration at start, as that does, and never again.

GET / answers with the process and its models; GET /stream answers in two halves, the second once the file `go` is beside the configuration.
"""

import asyncio
import json
import os

import yaml

CONFIG = os.environ["CONFIG_FILE_PATH"]
MODELS = []


async def app(scope, receive, send):
    """The application."""
    if scope["type"] == "lifespan":
        await start(receive, send)
        return
    body = json.dumps({"pid": os.getpid(), "models": MODELS}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        while not os.path.exists(os.path.join(os.path.dirname(CONFIG), "go")):
            await asyncio.sleep(0.02)
    await send({"type": "http.response.body", "body": body})


async def start(receive, send):
    await receive()
    with open(CONFIG, encoding="utf-8") as file:
        config = yaml.safe_load(file)
    if config.get("broken"):
        await send({"type": "lifespan.startup.failed", "message": "broken"})
        return
    MODELS.extend(f"{one['model_name']}@{one['model_info']['fleetctl_machine']}" for one in config["model_list"])
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
