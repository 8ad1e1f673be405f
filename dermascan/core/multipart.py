"""A multipart parser that drops no part, for settings.FILE_UPLOAD_HANDLERS.

Django's parser silently skips parts whose headers are not UTF-8, files named “..” or without a name, and the last
file of a truncated body. A client that sent several files could then not tell which of them a result belongs to.
"""

import binascii
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict

from dermascan.core.storage_faults import cannot_write

CHUNK_BYTES = 64 * 1024
LONGEST_HEAD_BYTES = 16 * 1024
# Fields with these names are files even without a file name.
FILE_FIELDS = {"file", "files"}
UNNAMED = "photograph"
Form = tuple[QueryDict, "MultiValueDict[str, UploadedFile]"]
_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


class EveryPart(FileUploadHandler):
    """Upload handler that turns every part into a field or a file, in the order sent."""

    # Browsers send a part without file name or content for an empty file input.
    keeps_empty_files = False

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803  # the library's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> Form:
        """Return what Django calls POST and FILES.

        Raises:
            MultiPartParserError: the form is malformed or incomplete.
            RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent: more than the settings allow.
            CannotBeKept: a large file could not be written to disk.
        """
        reader = _Reader(
            encoding=encoding or settings.DEFAULT_CHARSET,
            in_memory=content_length <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE,
            keeps_empty_files=self.keeps_empty_files,
        )
        return reader.read(_Body(input_data, boundary))


class EveryPartOfARequest(EveryPart):
    """For API clients, which get an error for an empty part."""

    keeps_empty_files = True


def printable_name(name: str | None) -> str:
    """Return a file's name without folders and control characters, at most 200 characters and never empty."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return UNNAMED if printable in {"", ".", ".."} else printable[:200]


@dataclass(frozen=True)
class _Head:
    """The headers of one part."""

    field: str
    file_name: str | None
    content_type: str
    charset: str | None
    is_base64: bool

    @property
    def is_file(self) -> bool:
        return self.file_name is not None or self.field in FILE_FIELDS


class _Reader:
    def __init__(self, *, encoding: str, in_memory: bool, keeps_empty_files: bool) -> None:
        self._encoding = encoding
        self._in_memory = in_memory
        self._keeps_empty_files = keeps_empty_files
        self._fields = QueryDict(mutable=True, encoding=encoding)
        self._files: MultiValueDict[str, UploadedFile] = MultiValueDict()
        self._field_count = self._field_bytes = self._file_count = 0

    def read(self, body: "_Body") -> Form:
        try:
            for head, content in body.parts():
                if head.is_file:
                    self._add_file(head, content)
                else:
                    self._add_field(head, content)
        except BaseException:
            for _field, files in self._files.lists():
                for file in files:
                    file.close()
            raise
        self._fields._mutable = False
        return self._fields, self._files

    def _add_file(self, head: _Head, content: Iterator[bytes]) -> None:
        self._file_count += 1
        _check_count(self._file_count, settings.DATA_UPLOAD_MAX_NUMBER_FILES, TooManyFilesSent)
        stored = self._new_file()
        try:
            for chunk in content:
                _write(stored, chunk)
            size = stored.tell()
            stored.seek(0)
        except BaseException:
            stored.close()
            raise
        if size or head.file_name or self._keeps_empty_files:
            name = printable_name(head.file_name)
            file = UploadedFile(stored, name, head.content_type, size, head.charset)
            self._files.appendlist(head.field, file)
        else:
            stored.close()

    def _new_file(self) -> Any:
        if self._in_memory:
            return BytesIO()
        try:
            # Unnamed, so nothing is left if the process is killed. Unbuffered, so a full disk raises at once.
            return tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, buffering=0)
        except OSError as error:
            raise cannot_write(error) from error

    def _add_field(self, head: _Head, content: Iterator[bytes]) -> None:
        self._field_count += 1
        _check_count(self._field_count, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS, TooManyFieldsSent)
        self._field_bytes += len(head.field)
        value = bytearray()
        for chunk in content:
            value += chunk
            self._field_bytes += len(chunk)
            _check_count(self._field_bytes, settings.DATA_UPLOAD_MAX_MEMORY_SIZE, RequestDataTooBig)
        self._fields.appendlist(head.field, value.decode(self._encoding, "replace"))


class _Body:
    """The bytes of a form, split at its boundaries (RFC 2046, section 5.1)."""

    def __init__(self, stream: Any, boundary: Any) -> None:
        self._stream = stream
        self._delimiter = b"\r\n--" + (boundary.encode("ascii") if isinstance(boundary, str) else boundary)
        # A delimiter starts with a line break, which the first one may lack.
        self._buffer = b"\r\n"

    def parts(self) -> Iterator[tuple[_Head, Iterator[bytes]]]:
        """Yield the headers and content of each part. Read the content before requesting the next part."""
        for _preamble in self._content():
            pass
        while (lines := self._head_lines()) is not None:
            head = _read_head(lines)
            content = self._content()
            yield head, _from_base64(content) if head.is_base64 else content
            for _unread in content:
                pass
        while self._stream.read(CHUNK_BYTES):
            pass

    def _content(self) -> Iterator[bytes]:
        """Yield the bytes before the next delimiter, and skip the delimiter."""
        longest_rest = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            ready, self._buffer = self._buffer[:-longest_rest], self._buffer[-longest_rest:]
            if ready:
                yield ready
            self._read_more()
        rest, self._buffer = self._buffer[:end], self._buffer[end + len(self._delimiter) :]
        if rest:
            yield rest

    def _head_lines(self) -> list[bytes] | None:
        """Return the header lines, or None after the last delimiter."""
        while len(self._buffer) < 2:
            self._read_more()
        if self._buffer.startswith(b"--"):
            return None
        while (end := self._buffer.find(b"\r\n\r\n", 0, LONGEST_HEAD_BYTES)) < 0:
            if len(self._buffer) > LONGEST_HEAD_BYTES:
                raise MultiPartParserError("The headers of a part are too long.")
            self._read_more()
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        after_delimiter, *lines = re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
        if after_delimiter.strip():
            raise MultiPartParserError("A boundary is not at the end of its line.")
        return lines

    def _read_more(self) -> None:
        chunk = self._stream.read(CHUNK_BYTES)
        if not chunk:
            raise MultiPartParserError("The body ends before its last boundary.")
        self._buffer += chunk


def _write(file: Any, chunk: bytes) -> None:
    left = memoryview(chunk)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise cannot_write(error) from error


def _read_head(lines: list[bytes]) -> _Head:
    headers: dict[str, str] = {}
    for line in lines:
        name, _colon, value = _text(line).partition(":")
        headers[name.strip().lower()] = value.strip()
    disposition = _parameters(headers.get("content-disposition", ""))
    content_type, _semicolon, _more = headers.get("content-type", "").partition(";")
    if not disposition.get("name", "").strip():
        raise MultiPartParserError("A part has no name.")
    return _Head(
        field=disposition["name"].strip(),
        file_name=disposition.get("filename"),
        content_type=content_type.strip(),
        charset=_parameters(headers.get("content-type", "")).get("charset"),
        is_base64=headers.get("content-transfer-encoding", "").lower() == "base64",
    )


def _text(line: bytes) -> str:
    """Decode as UTF-8, or as Latin-1, which old cameras send and which accepts any bytes."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _parameters(value: str) -> dict[str, str]:
    """Return a header's parameters. A readable ``filename*`` (RFC 8187) takes precedence over ``filename``."""
    parameters: dict[str, str] = {}
    for name, raw in _PARAMETER.findall(value):
        is_quoted = len(raw) > 1 and raw[0] == raw[-1] == '"'
        parameters[name.lower()] = re.sub(r'\\(["\\])', r"\1", raw[1:-1]) if is_quoted else raw.strip(' "')
    for name in [name for name in parameters if "*" in name]:
        plain, text = name.partition("*")[0], _from_percents(parameters[name])
        parameters[plain] = text or parameters.get(plain, "")
    return parameters


def _from_percents(value: str) -> str:
    charset, _language, text = value.split("'", 2) if value.count("'") >= 2 else ("", "", "")
    try:
        return unquote(text, encoding=charset, errors="replace")
    except (LookupError, ValueError):
        return ""


def _from_base64(content: Iterator[bytes]) -> Iterator[bytes]:
    """Decode incrementally. Invalid base64 is passed through unchanged, so that only this file is unreadable."""
    rest = b""
    for chunk in content:
        letters = rest + b"".join(chunk.split())
        whole = len(letters) // 4 * 4
        rest = letters[whole:]
        try:
            yield binascii.a2b_base64(letters[:whole])
        except binascii.Error:
            yield letters[:whole]
    yield rest


def _check_count(count: int, limit: int | None, error: type[Exception]) -> None:
    if limit is not None and count > limit:
        raise error("More than the settings allow.")
