"""The programs that ask name servers, loaded when somebody types one: dnspython takes memory."""

from cluster_engine.programs.invocation import Invocation


async def dig(invocation: Invocation) -> int:
    """Run dig."""
    from cluster_engine.programs.network import dig as tool

    return await tool.dig(invocation)


async def nslookup(invocation: Invocation) -> int:
    """Run nslookup."""
    from cluster_engine.programs.network import dig as tool

    return await tool.nslookup(invocation)


async def host(invocation: Invocation) -> int:
    """Run host."""
    from cluster_engine.programs.network import dig as tool

    return await tool.host(invocation)
