"""The live host: the same stations as asyncio agents that exchange their frames over an MQTT broker.

`topics`, `air`, `records` say what goes over the broker; `mqtt` carries it; `clock`, `contention`, `medium` are clock
and wire of the stations of one process; `agent` is one station's life, `host` a process. docs/topics.md lists topics.
"""
