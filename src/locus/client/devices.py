"""Being let in as a machine: a code for a person to compare, and the key once they have decided."""

from locus.client.transport import Transport
from locus.wire.people import DeviceAnswer, DeviceCode, DevicePoll, DeviceRequest


class Devices:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def ask(self, machine: str) -> DeviceCode:
        """Ask to be let in under a name that the person will see."""
        return await self._transport.post("/device", DeviceRequest(machine=machine), DeviceCode)

    async def answer(self, device: str) -> DeviceAnswer:
        """What has been decided so far; after the approval, once, the key."""
        return await self._transport.post("/device/answer", DevicePoll(device=device), DeviceAnswer)
