"""Multipart forms of which no part is lost: settings.FILE_UPLOAD_HANDLERS.

Django's own parser passes in silence over parts whose head is not UTF-8, over files called “..” or nothing at all,
and over the last file of a body that was cut off. Whoever sent several files could then not tell which of them an
answer is about.
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
# What is sent under these names is a file, even where its head gives it no file name.
FILE_FIELDS = {"file", "files"}
UNNAMED = "photograph"
Form = tuple[QueryDict, "MultiValueDict[str, UploadedFile]"]
_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


class EveryPart(FileUploadHandler):
    """Reads a form: each part becomes a field or a file, in the order sent, whatever its file is called."""

    # Browsers send a part without name and content for an input in which nothing was chosen.
    keeps_what_was_not_chosen = False

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
            MultiPartParserError: this is no form, or not all of it.
            RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent: more than the settings allow.
            CannotBeKept: files that large are put on the disk, which takes no more.
        """
        reader = _Reader(
            encoding=encoding or settings.DEFAULT_CHARSET,
            in_memory=content_length <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE,
            keeps_what_was_not_chosen=self.keeps_what_was_not_chosen,
        )
        return reader.read(_Body(input_data, boundary))


class EveryPartOfARequest(EveryPart):
    """For programs: an empty part is a mistake that they are told of."""

    keeps_what_was_not_chosen = True


def printable_name(name: str | None) -> str:
    """A file's name as it was sent, without folders and control characters, at most 200 characters; never empty."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(character for character in last if character.isprintable()).strip()
    return UNNAMED if kept in {"", ".", ".."} else kept[:200]


@dataclass(frozen=True)
class _Head:
    """What stands above a part's content."""

    field: str
    file_name: str | None
    content_type: str
    charset: str | None
    is_base64: bool

    @property
    def is_file(self) -> bool:
        return self.file_name is not None or self.field in FILE_FIELDS


class _Reader:
    def __init__(self, *, encoding: str, in_memory: bool, keeps_what_was_not_chosen: bool) -> None:
        self._encoding = encoding
        self._in_memory = in_memory
        self._keeps_what_was_not_chosen = keeps_what_was_not_chosen
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
        written = self._new_file()
        try:
            for chunk in content:
                _write(written, chunk)
            size = written.tell()
            written.seek(0)
        except BaseException:
            written.close()
            raise
        if size or head.file_name or self._keeps_what_was_not_chosen:
            name = printable_name(head.file_name)
            file = UploadedFile(written, name, head.content_type, size, head.charset)
            self._files.appendlist(head.field, file)
        else:
            written.close()

    def _new_file(self) -> Any:
        if self._in_memory:
            return BytesIO()
        try:
            # It has no name: nothing stays behind if this process is killed. Unbuffered: a full disk is met at once.
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
    """The bytes of a form, cut at its boundaries (RFC 2046, section 5.1)."""

    def __init__(self, stream: Any, boundary: Any) -> None:
        self._stream = stream
        self._delimiter = b"\r\n--" + (boundary.encode("ascii") if isinstance(boundary, str) else boundary)
        # A delimiter begins with the end of the line before it; the first may have none.
        self._buffer = b"\r\n"

    def parts(self) -> Iterator[tuple[_Head, Iterator[bytes]]]:
        """Yield head and content of each part. The content is to be read before the next one is asked for."""
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
        """Yield what comes before the next delimiter, and step over that."""
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
        """Return the lines up to the content, or None if the last delimiter has been read."""
        while len(self._buffer) < 2:
            self._read_more()
        if self._buffer.startswith(b"--"):
            return None
        while (end := self._buffer.find(b"\r\n\r\n", 0, LONGEST_HEAD_BYTES)) < 0:
            if len(self._buffer) > LONGEST_HEAD_BYTES:
                raise MultiPartParserError("The head of a part is too long.")
            self._read_more()
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        after_delimiter, *lines = re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
        if after_delimiter.strip():
            raise MultiPartParserError("A boundary stands in the middle of a line.")
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
    """Old cameras and programs send names in Latin-1. Any bytes are text in that."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _parameters(value: str) -> dict[str, str]:
    """The parameters of a header. ``filename*`` (RFC 8187) stands before ``filename``, if it can be read."""
    parameters: dict[str, str] = {}
    for name, sent in _PARAMETER.findall(value):
        is_quoted = len(sent) > 1 and sent[0] == sent[-1] == '"'
        parameters[name.lower()] = re.sub(r'\\(["\\])', r"\1", sent[1:-1]) if is_quoted else sent.strip(' "')
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
    """Decode as the bytes come. What is no base64 stays as it is: then the file, and no other, cannot be read."""
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
