"""A server of FastMCP with tasks of the extension, over pipes or, with a port, over HTTP."""

import asyncio
import sys
from datetime import timedelta

from fastmcp import Context, FastMCP
from fastmcp.utilities.tasks import TaskConfig
from fastmcp_tasks import TasksExtension
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

# Whoever asks is not made to wait for long.
SOON = TaskConfig(mode="optional", poll_interval=timedelta(milliseconds=50))

server = FastMCP("fastmcp", version="1.0.0")
server.add_extension(TasksExtension())


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(task=SOON)
async def analyze(dataset: str, ctx: Context) -> dict[str, int]:
    """Analyze a dataset."""
    await ctx.report_progress(1, 2, f"reading {dataset}")
    await asyncio.sleep(0)
    return {"letters": len(dataset)}


@server.tool(task=SOON)
async def ask(ctx: Context) -> str | InputRequiredResult:
    """Ask for a name."""
    if not ctx.input_responses:
        form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        params = ElicitRequestFormParams(message="Who are you?", requested_schema=form)
        return InputRequiredResult(input_requests={"name": ElicitRequest(params=params)})
    return f"Hello, {ctx.input_responses['name'].content['name']}!"


@server.tool(task=SOON)
async def linger() -> str:
    """Never end."""
    await asyncio.Event().wait()
    return "never"


@server.tool(task=SOON)
async def fail() -> str:
    """Fail."""
    raise ValueError("it did not work")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), path="/mcp", show_banner=False)
    else:
        server.run(show_banner=False)
