# SPDX-License-Identifier: Apache-2.0
"""What a source system sends with a closed case: the ``metadata`` part of a filing, or ``case.json``.

The models judge form only. Whether required materials are there, dates are in order, check digits are
right and digests agree is for the checks, which return a filing with reasons. Errors name known fields,
positions and rules; a key that the schema does not know is input and is never repeated.
"""

import datetime as dt
import enum
import json
import unicodedata
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from cases.identifiers import is_plain
from cases.items import Group
from licenses.faces import LicenseData
from storage.clock import read_instant
from storage.errors import InvalidInputError

METADATA_LIMIT = 2 * 2**20
"""Most bytes of metadata that are read."""

MAX_MATERIALS = 500
"""Most materials of one filing."""

_NAMED_PROBLEMS = 10
_CLASSIFIED = ("秘密", "机密", "绝密")


class SubmissionError(InvalidInputError):
    """The metadata are not what the schema says; ``facts`` hold the count and the first problems."""

    code = "submission"
    title_zh = "归档元数据不符合规定格式"
    title_en = "The metadata do not follow the schema"
    remedy_zh = "请按公布的元数据格式更正所列字段后重新提交。"
    remedy_en = "Correct the named fields as the published schema says and send it again."


class Result(enum.StrEnum):
    """How the case ended."""

    APPROVED = "approved"
    REFUSED = "refused"


def _clean(text: str) -> str:
    if not is_plain(text):
        raise PydanticCustomError("characters", "outer blanks or control characters")
    return text


def _file_name(text: str) -> str:
    if text in {".", ".."} or "/" in text or "\\" in text or len(text.encode()) > 255:
        raise PydanticCustomError("file_name", "not a plain file name")
    return _clean(text)


def _instant(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value
    try:
        return read_instant(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError("instant", "not an RFC 3339 instant") from None


Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_clean)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
FileName = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_file_name)]
Moment = Annotated[AwareDatetime, BeforeValidator(_instant)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ItemReference(_Strict):
    """The item (事项) the case was handled under, in its edition."""

    code: Code
    edition: Code


class HolderReference(_Strict):
    """Who the case is for: scheme of GB/T 36903 with code and name."""

    scheme: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    code: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_clean)]
    name: Text


class Opinion(_Strict):
    """The opinion of one node of the process (过程意见)."""

    node: Text
    author: Text
    role: Text
    opinion: LongText
    at: Moment


class CalledUp(_Strict):
    """A licence or decision retrieved instead of demanded (调用): its identifier or decision number."""

    kind: Literal["licence", "decision"]
    identifier: Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_clean)]


class SubmittedMaterial(_Strict):
    """One file of the filing.

    Attributes:
        part: Name of the multipart file part; in a folder the file is found by ``file_name``.
        code: Code of the material in the item's catalogue.
        name: Title as it stands in the dossier's catalogue.
        group: Application, process or result.
        file_name: Original name of the file.
        media_type: Declared media type.
        size: Declared length in bytes.
        sha256: Declared SHA-256, lower-case hex.
    """

    part: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
    code: Code
    name: Text
    group: Group
    file_name: FileName
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]{1,90}$")]
    size: Annotated[int, Field(ge=0, le=2**40)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Submission(_Strict):
    """The metadata of one filing of one closed case.

    Attributes:
        source: Code of the source system.
        number: The case's number there: one path segment (``cases`` says which).
        item: Item and edition.
        holder: Who the case is for.
        organisation: Code of the department that handled it.
        accepted_at: When it was accepted (受理).
        decided_at: When it was decided (决定).
        closed_at: When it was closed (办结).
        result: How it ended.
        secrecy: 公开 or 内部; a classified marking (秘密, 机密, 绝密) is well formed and refused by intake.
        opinions: Opinions of the process, in order.
        called_up: Licences of the holder, from other cases, and decisions of this case that were retrieved
            instead of demanded; the dossier holds them. What decisions relied on need not be named.
        license: Licence data of the result, where it is a licence.
        materials: The files, at least one; parts and file names are unique.
    """

    source: Text
    number: Text
    item: ItemReference
    holder: HolderReference
    organisation: Code
    accepted_at: Moment
    decided_at: Moment
    closed_at: Moment
    result: Result
    secrecy: Annotated[str, StringConstraints(pattern=r"^(公开|内部|(秘密|机密|绝密).{0,20})$")] = "公开"
    opinions: Annotated[tuple[Opinion, ...], Field(max_length=200)] = ()
    called_up: Annotated[tuple[CalledUp, ...], Field(max_length=100)] = ()
    license: LicenseData | None = None
    materials: Annotated[tuple[SubmittedMaterial, ...], Field(min_length=1, max_length=MAX_MATERIALS)]

    @property
    def classified(self) -> bool:
        """Tell whether the submission says that it holds classified material."""
        return self.secrecy.startswith(_CLASSIFIED)

    @model_validator(mode="after")
    def _each_file_once(self) -> Self:
        for names in (
            [material.part for material in self.materials],
            [unicodedata.normalize("NFC", material.file_name) for material in self.materials],
        ):
            if len(set(names)) != len(names):
                raise PydanticCustomError("listed_twice", "a part or file name is listed twice")
        if any(material.part == "metadata" for material in self.materials):
            raise PydanticCustomError("reserved_part", "the part name metadata is taken")
        return self


def parse_submission(data: bytes) -> Submission:
    """Read metadata.

    Args:
        data: JSON in UTF-8, at most ``METADATA_LIMIT`` bytes.

    Raises:
        SubmissionError: Not JSON, a key twice, or not what the schema says.
    """
    if len(data) > METADATA_LIMIT:
        raise SubmissionError(problems=1, first="size")
    try:
        json.loads(data, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError) as error:
        first = "key-twice" if isinstance(error, _KeyTwiceError) else "not-json"
        raise SubmissionError(problems=1, first=first) from None
    try:
        return Submission.model_validate_json(data)
    except ValidationError as error:
        found = [_problem(entry["loc"], entry["type"]) for entry in error.errors(include_input=False)]
        raise SubmissionError(problems=len(found), first=" ".join(found[:_NAMED_PROBLEMS])) from None


class _KeyTwiceError(ValueError):
    pass


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwiceError
    return found


def _problem(place: tuple[int | str, ...], rule: str) -> str:
    """Give ``materials.0.size:int_type``; names that are not the schema's own become a star."""
    parts = [str(part) if isinstance(part, int) or part in _known_names() else "*" for part in place]
    return f"{'.'.join(parts) or 'metadata'}:{rule}"


def _known_names() -> frozenset[str]:
    found: set[str] = set()
    waiting: list[type[BaseModel]] = [Submission]
    while waiting:
        model = waiting.pop()
        for name, field in model.model_fields.items():
            found.add(name)
            waiting += _models_in(field.annotation)
    return frozenset(found)


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
