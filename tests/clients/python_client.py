"""The official Python client against the address in argv: prints what it saw as one JSON object."""

import asyncio
import json
import sys

from mcp.client.client import Client


async def main(url: str, mode: str) -> dict:
    seen = {"messages": [], "updated": [], "progress": []}

    async def on_log(params):
        seen["messages"].append([params.level, json.dumps(params.data)])

    async def on_message(message):
        if getattr(message, "method", "") == "notifications/resources/updated":
            seen["updated"].append(str(message.params.uri))

    async def on_progress(progress, total, message):
        seen["progress"].append(progress)

    async with Client(
        url, mode=mode, logging_callback=on_log, message_handler=on_message
    ) as client:
        seen["protocol"] = client.protocol_version
        seen["server"] = client.server_info.name
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        status = await client.call_tool("taskmux_status")
        seen["status"] = status.structured_content
        ghost = await client.call_tool("taskmux_inspect", {"task": "ghost"})
        seen["ghost"] = ghost.is_error
        resources = (await client.list_resources()).resources
        seen["resources"] = [str(resource.uri) for resource in resources]
        read = await client.read_resource("taskmux://status")
        seen["read"] = read.contents[0].text
        await client.set_logging_level("info")
        await client.subscribe_resource("taskmux://status")
        await client.call_tool("taskmux_stop", {"task": "web"})
        await client.call_tool(
            "taskmux_start", {"task": "web"}, progress_callback=on_progress
        )
        async with asyncio.timeout(20):
            while not (seen["messages"] and seen["updated"]):
                await asyncio.sleep(0.02)
        never = {"task": "web", "for": "log:/never/", "timeout": 600}
        waiting = asyncio.create_task(client.call_tool("taskmux_wait", never))
        await asyncio.sleep(0.2)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await client.send_ping()
    return seen


print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2]))))
