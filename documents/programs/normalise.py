# SPDX-License-Identifier: Apache-2.0
"""Makes an ordinary PDF into PDF/A-3b without touching what its pages show.

What can act or change by itself goes (actions, scripts, forms and annotations flattened to what they show,
attachments, private keys) and is listed; then pikepdf prepares and validates. Fonts are not embedded and
colours not converted (only pure black ink is written as the gray it is): a file that needs either is refused
by the validator's rule.
"""

import re
from collections import Counter
from decimal import Decimal
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String, pdfa

FLAVOUR = "3b"
_ROUNDS = 6
_UNKNOWN = re.compile(r"unrecognized key\(s\) (/.*) are not checked")
_PLACE = re.compile(r"^(?:obj (\d+) (\d+)|trailer) .*\((\w+)\)$")
# Roles whose unknown keys cannot show anything; elsewhere an unknown key is a refusal.
_SILENT = {
    "Catalog",
    "FontDescriptor",
    "Info",
    "LinkAnnot",
    "MarkInfo",
    "NameDictionary",
    "OutlineItem",
    "Outlines",
    "Page",
    "Pages",
    "PageTreeNode",
    "Resources",
    "StructTreeRoot",
    "Trailer",
    "ViewerPreferences",
}
_CATALOGUE = {
    Name.OpenAction: "open-action",
    Name.AA: "actions",
    Name.AcroForm: "",
    Name.Perms: "",
    Name.Legal: "",
    Name.Requirements: "",
    Name.URI: "",
    Name.PieceInfo: "",
    Name.SpiderInfo: "",
    Name.Threads: "article-threads",
    Name.OCProperties: "",
}
_PAGE = (Name.AA, Name.Trans, Name.Dur, Name.PieceInfo, Name.PresSteps, Name.Thumb, Name.B)
_INK = re.compile(rb"[\d.]\s+[kK]\s")
_SHOWS = {"Tj", "TJ", "'", '"', "Do"}  # a form drawn by Do may inherit the font
_PLAIN_ACTIONS = {Name.GoTo, Name.URI}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Write ``out`` from ``file``; give ``problem``, ``rules``, ``losses`` and ``fonts``.

    With ``forget_dates`` the document's own dates go: a converter's clock stands in them, no author's.
    """
    losses: Counter[str] = Counter()
    with pikepdf.open(request["file"], attempt_recovery=False, suppress_warnings=True) as pdf:
        problem = _portfolio_or_layers(pdf)
        if problem:
            return {"problem": problem, "rules": [], "losses": []}
        _sanitise(pdf, losses)
        _tidy_graphics(pdf)
        if request.get("forget_dates"):
            _forget_dates(pdf)
        pdfa.prepare(pdf, FLAVOUR)
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            # The preparation wrote this machine's time: the same input must give the same bytes.
            del metadata["xmp:MetadataDate"]
        report = _write(pdf, request["out"])
        for _ in range(_ROUNDS):
            if report.passed or not _drop_silent_keys(pdf):
                break
            report = _write(pdf, request["out"])
        fonts = sorted(_font_names(pdf))
    return {
        "problem": None,
        "rules": sorted({finding.rule for finding in report.findings}),
        "losses": [f"{name}:{count}" for name, count in sorted(losses.items())],
        "fonts": fonts,
    }


def _forget_dates(pdf: Pdf) -> None:
    for key in ("/CreationDate", "/ModDate"):
        if key in pdf.docinfo:
            del pdf.docinfo[key]
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        for name in ("xmp:CreateDate", "xmp:ModifyDate", "xmp:MetadataDate"):
            if name in metadata:
                del metadata[name]


def _font_names(pdf: Pdf) -> set[str]:
    found = {
        str(item.BaseFont).lstrip("/")
        for item in pdf.objects
        if isinstance(item, Dictionary) and item.get(Name.Type) == Name.Font and Name.BaseFont in item
    }
    return {re.sub(r"^[A-Z]{6}\+", "", name) for name in found}


def _portfolio_or_layers(pdf: Pdf) -> str | None:
    if Name.Collection in pdf.Root:
        return "portfolio"
    if len(_array(_dictionary(pdf.Root, Name.OCProperties), Name.OCGs)):
        # What a layer hides differs between screen, print and reader: no one rendition is faithful.
        return "layers"
    if Name.XFA in _dictionary(pdf.Root, Name.AcroForm):
        return "dynamic-form"
    return None


def _sanitise(pdf: Pdf, losses: Counter[str]) -> None:
    if Name.AcroForm in pdf.Root:
        losses["form-fields"] += len(_array(pdf.Root.AcroForm, Name.Fields))
        pdf.generate_appearance_streams()
    _forget_invisible(pdf, losses)
    pdf.flatten_annotations("all")
    _sanitise_catalogue(pdf, losses)
    for page in pdf.pages:
        for key in _PAGE:
            if key in page.obj:
                del page.obj[key]
        _keep_plain_links(page.obj, losses)
    _plain_outline(pdf, losses)


def _sanitise_catalogue(pdf: Pdf, losses: Counter[str]) -> None:
    for key, loss in _CATALOGUE.items():
        if key in pdf.Root:
            opens_at_a_place = key == Name.OpenAction and isinstance(pdf.Root[key], Array)
            del pdf.Root[key]
            if loss and not opens_at_a_place:
                losses[loss] += 1
    names = _dictionary(pdf.Root, Name.Names)
    if Name.JavaScript in names:
        del names[Name.JavaScript]
        losses["javascript"] += 1
    if Name.EmbeddedFiles in names:
        losses["attachments"] += len(pdf.attachments)
        del names[Name.EmbeddedFiles]
    if Name.AF in pdf.Root:
        del pdf.Root[Name.AF]


def _forget_invisible(pdf: Pdf, losses: Counter[str]) -> None:
    """Drop hidden annotations before flattening would paint them."""
    hidden = 1 | 2 | 32  # Invisible, Hidden, NoView
    for page in pdf.pages:
        kept = Array()
        for annotation in _array(page.obj, Name.Annots):
            if not isinstance(annotation, Dictionary):
                continue
            if int(annotation.get(Name.F, 0)) & hidden or annotation.get(Name.Subtype) == Name.Popup:
                losses["hidden-annotations"] += 1
            else:
                kept.append(annotation)
        if Name.Annots in page.obj:
            page.obj[Name.Annots] = kept


def _keep_plain_links(page: Dictionary, losses: Counter[str]) -> None:
    kept = Array()
    for annotation in _array(page, Name.Annots):
        if not isinstance(annotation, Dictionary) or annotation.get(Name.Subtype) != Name.Link:
            losses["annotations"] += 1
            continue
        for key in (Name.AA, Name.PA):
            if key in annotation:
                del annotation[key]
        if not _plain(annotation):
            losses["actions"] += 1
            continue
        kept.append(annotation)
    if len(kept):
        page[Name.Annots] = kept
    elif Name.Annots in page:
        del page[Name.Annots]


def _plain(item: Dictionary) -> bool:
    action = item.get(Name.A)
    if action is None:
        return True
    if not isinstance(action, Dictionary) or action.get(Name.S) not in _PLAIN_ACTIONS:
        return False
    if Name.Next in action:
        del action[Name.Next]
    return True


def _plain_outline(pdf: Pdf, losses: Counter[str]) -> None:
    for item in pdf.objects:
        if not isinstance(item, Dictionary):
            continue
        # The validator wants both where they are used.
        if isinstance(item.get(Name.Dest), Array) and item[Name.Dest].is_indirect:
            item[Name.Dest] = Array(list(item[Name.Dest]))
        if isinstance(item.get(Name.Title), String) and item[Name.Title].is_indirect:
            item[Name.Title] = String(str(item[Name.Title]))
        if Name.Title in item and Name.Parent in item and not _plain(item):
            del item[Name.A]
            losses["actions"] += 1


def _write(pdf: Pdf, out: str) -> pdfa.Report:
    pdf.save(out, **pdfa.resolve_save_kwargs(FLAVOUR, deterministic_id=True))
    return pdfa.validate_written(out, FLAVOUR)


def _drop_silent_keys(pdf: Pdf) -> bool:
    found = False
    for finding in pdfa.check(pdf, FLAVOUR).findings:  # its places are those of the document in memory
        unknown, place = _UNKNOWN.search(finding.message), _PLACE.match(finding.where)
        if not unknown or not place or place[3] not in _SILENT:
            continue
        holder = pdf.trailer if place[1] is None else pdf.get_object(int(place[1]), int(place[2]))
        for key in unknown[1].split(", "):
            if key in holder:
                del holder[key]
                found = True
    return found


def _tidy_graphics(pdf: Pdf) -> None:
    """Take out what shows nothing but breaks a rule."""
    for item in pdf.objects:
        if (
            isinstance(item, Dictionary)
            and item.get(Name.Type) == Name.FontDescriptor
            and Name.CIDSet in item
        ):
            # Optional since PDF/A-2, and wrong in many files.
            del item[Name.CIDSet]
        if isinstance(item, Dictionary) and item.get(Name.Type) == Name.ExtGState:
            if item.get(Name.TR) == Name.Identity:
                del item[Name.TR]
            # Overprint tells a press how inks mix: there is none in an RGB page. A name means nothing here.
            for key in (Name.OP, Name.op, Name.OPM, Name.Name):
                if key in item:
                    del item[key]
    for page in pdf.pages:
        _tidy_content(pdf, page.obj, page)
    for item in list(pdf.objects):
        if isinstance(item, Stream) and item.get(Name.Subtype) == Name.Form:
            _tidy_content(pdf, item, item)


def _tidy_content(pdf: Pdf, holder: pikepdf.Object, content: pikepdf.Page | Stream) -> None:
    resources = _dictionary(holder, Name.Resources)
    fonts = _dictionary(resources, Name.Font)
    loose = {str(name) for name, font in fonts.items() if not _embedded(font)}
    data = content.read_bytes() if isinstance(content, Stream) else _page_bytes(content)
    if not loose and not _INK.search(data):
        return
    instructions = list(pikepdf.parse_content_stream(content))
    idle = _idle_selections(instructions)
    kept = [
        _black_as_gray(instruction)
        for number, instruction in enumerate(instructions)
        if number not in idle or str(instruction.operands[0]) not in loose
    ]
    written = pikepdf.unparse_content_stream(kept)
    if isinstance(content, Stream):
        content.write(written)
    else:
        holder[Name.Contents] = pdf.make_stream(written)
    still = {str(one.operands[0]) for one in kept if str(one.operator) == "Tf"}
    if loose - still:
        copy = Dictionary(dict(resources.items()))
        copy[Name.Font] = Dictionary(
            {name: font for name, font in fonts.items() if name not in loose - still}
        )
        holder[Name.Resources] = copy


def _page_bytes(page: pikepdf.Page) -> bytes:
    contents = page.obj.get(Name.Contents)
    if isinstance(contents, Stream):
        return contents.read_bytes()
    return b"\n".join(one.read_bytes() for one in contents or [] if isinstance(one, Stream))


def _embedded(font: pikepdf.Object) -> bool:
    if not isinstance(font, Dictionary):
        return False
    if font.get(Name.Subtype) == Name.Type3:
        return True
    inner = _array(font, Name.DescendantFonts)
    descriptor = _dictionary(inner[0] if len(inner) else font, Name.FontDescriptor)
    return any(key in descriptor for key in (Name.FontFile, Name.FontFile2, Name.FontFile3))


def _idle_selections(instructions: list[Any]) -> set[int]:
    """Give the numbers of font selections under which no text is shown."""
    idle: set[int] = set()
    current: int | None = None
    outer: list[int | None] = []
    for number, instruction in enumerate(instructions):
        operator = str(instruction.operator)
        if operator == "Tf":
            current = number
            idle.add(number)
        elif operator == "q":
            outer.append(current)
        elif operator == "Q":
            current = outer.pop() if outer else None
        elif operator == "gs":
            current = None
        elif operator in _SHOWS and current is not None:
            idle.discard(current)
    return idle


def _black_as_gray(instruction: Any) -> Any:  # noqa: ANN401 - pikepdf's two kinds of instruction
    operator = str(instruction.operator)
    if operator in {"k", "K"} and len(instruction.operands) == 4:
        *colours, black = (float(value) for value in instruction.operands)
        if not any(colours) and 0 <= black <= 1:
            gray = Decimal(str(round(1 - black, 5)))
            return pikepdf.ContentStreamInstruction([gray], pikepdf.Operator("g" if operator == "k" else "G"))
    return instruction


def _dictionary(holder: pikepdf.Object, key: Name) -> Dictionary:
    value = holder.get(key)
    return value if isinstance(value, Dictionary) else Dictionary()


def _array(holder: pikepdf.Object, key: Name) -> Array:
    value = holder.get(key)
    return value if isinstance(value, Array) else Array()
