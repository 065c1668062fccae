from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Ticket(_message.Message):
    __slots__ = ("query", "pinned")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    query: Query
    pinned: Pinned
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ..., pinned: _Optional[_Union[Pinned, _Mapping]] = ...) -> None: ...

class Query(_message.Message):
    __slots__ = ("source", "parameters", "collection", "installation_id", "freshness")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    INSTALLATION_ID_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    source: str
    parameters: bytes
    collection: str
    installation_id: str
    freshness: Freshness
    def __init__(self, source: _Optional[str] = ..., parameters: _Optional[bytes] = ..., collection: _Optional[str] = ..., installation_id: _Optional[str] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class Freshness(_message.Message):
    __slots__ = ("max_staleness", "only_if_cached", "no_cache")
    MAX_STALENESS_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_CACHED_FIELD_NUMBER: _ClassVar[int]
    NO_CACHE_FIELD_NUMBER: _ClassVar[int]
    max_staleness: float
    only_if_cached: bool
    no_cache: bool
    def __init__(self, max_staleness: _Optional[float] = ..., only_if_cached: _Optional[bool] = ..., no_cache: _Optional[bool] = ...) -> None: ...

class Pinned(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: bytes
    def __init__(self, handle: _Optional[bytes] = ...) -> None: ...
