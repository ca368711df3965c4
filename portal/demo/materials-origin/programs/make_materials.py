# SPDX-License-Identifier: Apache-2.0
"""Makes the demonstration's material files and their ``case.json`` from ``cases.json``.

Run once by a maintainer, never by the demonstration: what it made is committed beside it. ``ORIGIN.md``
says with which programs and versions. The point of it is that other people's programs write the files:
LibreOffice, poppler, Pillow, reportlab, Chromium, qpdf, OpenSSL and the pyHanko command.
"""

import argparse
import copy
import datetime as dt
import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from make_pictures import fax, photograph, scan  # type: ignore[import-not-found]  # beside this file
from make_sheets import flat_ods  # type: ignore[import-not-found]  # beside this file

HERE = Path(__file__).resolve().parent.parent
ITEMS = HERE.parents[2] / "cases" / "data" / "items.json"
SHANGHAI = ZoneInfo("Asia/Shanghai")
PKI_MADE = dt.datetime(2026, 1, 5, 9, 0, tzinfo=SHANGHAI)
MEDIA = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PDFA = 'pdf:writer_pdf_Export:{"SelectPdfVersion":{"type":"long","value":"2"}}'

A4 = (595.28, 841.89)

Page = Mapping[str, Any]


def run(at: dt.datetime, *command: str | Path) -> None:
    """Run a program as if it were ``at``, so that dates inside the files fit the case; stop when it fails."""
    when = at.astimezone(SHANGHAI).strftime("@%Y-%m-%d %H:%M:%S")
    words = ["env", "TZ=Asia/Shanghai", "faketime", "-f", when, *map(str, command)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - fixed programs


def flat_odt(page: Page) -> str:
    """Give a page as flat ODT text (``page.fodt`` filled in)."""

    def cell(text: str) -> str:
        inner = f'<text:p text:style-name="B">{escape(text)}</text:p>'
        return f'<table:table-cell table:style-name="C">{inner}</table:table-cell>'

    rows = [f"<table:table-row>{cell(name)}{cell(value)}</table:table-row>" for name, value in page["rows"]]
    body = [f'<text:p text:style-name="P">{escape(line)}</text:p>' for line in page["lines"]]
    plain = {name: escape(page[name]) for name in ("title", "signer", "date")}
    skeleton = Template((HERE / "page.fodt").read_text(encoding="utf-8"))
    return skeleton.substitute(plain, rows="".join(rows), body="".join(body))


def plan_html(page: Page) -> str:
    """Give a floor plan as an HTML page with one SVG drawing."""
    boxes = []
    for index, name in enumerate(page["rooms"]):
        x, y = 40 + index % 3 * 350, 110 + index // 3 * 300
        boxes.append(
            f'<rect x="{x}" y="{y}" width="330" height="270" fill="#f4f6f4" stroke="#222" stroke-width="3"/>'
            f'<text x="{x + 165}" y="{y + 140}" text-anchor="middle" font-size="30">{escape(name)}</text>'
        )
    return (
        '<!doctype html><meta charset="utf-8"><body style="margin:0;background:#fff">'
        "<svg xmlns='http://www.w3.org/2000/svg' width='1120' height='780' font-family='Noto Sans CJK SC'>"
        f'<text x="560" y="60" text-anchor="middle" font-size="34">{escape(page["title"])}</text>'
        + "".join(boxes)
        + f'<text x="40" y="750" font-size="22">{escape(page["signer"])} {escape(page["date"])}</text>'
        "</svg>"
    )


def report(page: Page, out: Path, font: Path | None) -> None:
    """Write a page as a report generator does; without a font it names STSong and embeds nothing."""
    # By name, because reportlab is in the maker's own environment only.
    metrics, cid, ttf, pdfgen = (
        import_module(f"reportlab.{name}")
        for name in ("pdfbase.pdfmetrics", "pdfbase.cidfonts", "pdfbase.ttfonts", "pdfgen.canvas")
    )
    name = "STSong-Light" if font is None else "MicroHei"
    metrics.registerFont(cid.UnicodeCIDFont(name) if font is None else ttf.TTFont(name, str(font)))
    os.environ["SOURCE_DATE_EPOCH"] = str(int(page["at"].timestamp()))
    canvas = pdfgen.Canvas(str(out), pagesize=A4, initialFontName=name)
    canvas.setTitle(page["title"])
    canvas.setFont(name, 20)
    canvas.drawCentredString(A4[0] / 2, 770, page["title"])
    canvas.setFont(name, 12)
    y = 720
    for text in [f"{key}：{value}" for key, value in page["rows"]] + [""] + list(page["lines"]):
        for start in range(0, max(len(text), 1), 36):
            canvas.drawString(70, y, text[start : start + 36])
            y -= 24
    canvas.drawRightString(A4[0] - 70, y - 30, page["signer"])
    canvas.drawRightString(A4[0] - 70, y - 54, page["date"])
    canvas.save()


def make_pki(folder: Path, certificate: Path) -> None:
    """Make the throw-away authority and its one signer with OpenSSL; only the root certificate stays."""
    name = "/C=CN/O=示例外部设计院（演示）/CN="
    key = ("-newkey", "rsa:2048", "-noenc", "-utf8", "-days", "7300")
    root = ("-keyout", folder / "root.key", "-out", certificate)
    subject = ("-subj", name + "外部演示根", "-addext", "keyUsage=keyCertSign")
    run(PKI_MADE, "openssl", "req", "-x509", *key, *root, *subject)
    signer = ("-keyout", folder / "seal.key", "-out", folder / "seal.pem", "-subj", name + "出图专用章")
    issuer = ("-CA", certificate, "-CAkey", folder / "root.key", "-addext", "basicConstraints=CA:FALSE")
    usage = ("-addext", "keyUsage=digitalSignature,nonRepudiation")
    run(PKI_MADE, "openssl", "req", "-x509", *key, *signer, *issuer, *usage)


def seal_elsewhere(at: dt.datetime, pdf: Path, out: Path, pki: Path) -> None:
    """Sign with pyHanko's command and that signer."""
    pair = ("--key", pki / "seal.key", "--cert", pki / "seal.pem", "--no-pass")
    run(at, "pyhanko", "sign", "addsig", "--use-pades", "--field", "Seal", "pemder", *pair, pdf, out)


class Maker:
    """Makes one file per call, in a scratch folder.

    Args:
        scratch: Folder for whatever lies between source and result.
        font: A TrueType font with Han characters, Latin letters and digits that may be embedded.
        handbook: A public handbook as PDF, taken as it is.
        pki: Folder for the throw-away keys of an authority that this product does not know.
    """

    def __init__(self, scratch: Path, font: Path, handbook: Path, pki: Path) -> None:
        self._scratch = scratch
        self._font = font
        self._handbook = handbook
        self._pki = pki

    def make(self, kind: str, page: Page, out: Path) -> None:
        """Make ``out`` by the named way; ``kind`` is the ``maker`` of ``cases.json``."""
        getattr(self, "_" + kind.replace("-", "_"))(page, out)

    def _office(self, page: Page, to: str, suffix: str) -> Path:
        source = self._scratch / "page.fodt"
        source.write_text(flat_odt(page), encoding="utf-8")
        self._convert(page["at"], source, to)
        return source.with_suffix(suffix)

    def _convert(self, at: dt.datetime, source: Path, to: str) -> None:
        profile = f"-env:UserInstallation={(self._scratch / 'office').as_uri()}"
        run(at, "soffice", profile, "--headless", "--convert-to", to, "--outdir", self._scratch, source)

    def _workbook(self, page: Page, out: Path) -> None:
        source = self._scratch / "sheet.fods"
        source.write_text(flat_ods(page, (HERE / "sheet.fods").read_text("utf-8")), encoding="utf-8")
        self._convert(page["at"], source, "xlsx:Calc MS Excel 2007 XML")
        shutil.move(source.with_suffix(".xlsx"), out)

    def _docx(self, page: Page, out: Path) -> None:
        shutil.move(self._office(page, "docx:MS Word 2007 XML", ".docx"), out)

    def _pdf(self, page: Page, out: Path) -> None:
        shutil.move(self._office(page, "pdf:writer_pdf_Export", ".pdf"), out)

    def _pdfa(self, page: Page, out: Path) -> None:
        shutil.move(self._office(page, PDFA, ".pdf"), out)

    def _scan(self, page: Page, out: Path) -> None:
        scan(self._drawn(page, "scan"), out, seed=page["title"] + page["number"])

    def _photograph(self, page: Page, out: Path) -> None:
        photograph(self._drawn(page, "photograph"), out, seed=out.name + page["number"])

    def _fax(self, page: Page, out: Path) -> None:
        drawn = [
            self._drawn({**page, "lines": lines}, f"sheet-{place}")
            for place, lines in enumerate(page["sheets"])
        ]
        fax(drawn, out)

    def _drawn(self, page: Page, name: str) -> Path:
        pdf, target = self._office(page, "pdf:writer_pdf_Export", ".pdf"), self._scratch / name
        run(page["at"], "pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", pdf, target)
        return target.with_suffix(".png")

    def _png(self, page: Page, out: Path) -> None:
        source = self._scratch / "plan.html"
        source.write_text(plan_html(page), encoding="utf-8")
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
        size = "--window-size=1120,780"
        run(page["at"], "chromium", *options, size, f"--screenshot={out}", source.as_uri())

    def _report(self, page: Page, out: Path) -> None:
        report(page, out, self._font)

    def _report_unembedded(self, page: Page, out: Path) -> None:
        report(page, out, None)

    def _guide(self, _page: Page, out: Path) -> None:
        shutil.copyfile(self._handbook, out)

    def _truncated(self, page: Page, out: Path) -> None:
        data = self._office(page, "pdf:writer_pdf_Export", ".pdf").read_bytes()
        out.write_bytes(data[: len(data) * 3 // 10])

    def _password(self, page: Page, out: Path) -> None:
        pdf = self._office(page, "pdf:writer_pdf_Export", ".pdf")
        word = "demo-" + str(random.Random(page["number"]).randrange(10**6))  # noqa: S311 - nobody needs to open it
        run(page["at"], "qpdf", "--encrypt", word, word, "256", "--", pdf, out)

    def _sealed(self, page: Page, out: Path) -> None:
        if not (self._pki / "seal.key").exists():
            self._pki.mkdir(parents=True, exist_ok=True)
            make_pki(self._pki, HERE / "outside-root.pem")
        seal_elsewhere(page["at"], self._office(page, "pdf:writer_pdf_Export", ".pdf"), out, self._pki)


class Cases:
    """The cases of ``cases.json`` as submissions.

    Args:
        spec: The parsed file.
        items: The parsed catalogue of items, for the names and groups of materials.
    """

    def __init__(self, spec: Mapping[str, Any], items: Mapping[str, Any]) -> None:
        self._spec = spec
        self._rules = {
            (item["code"], rule["code"]): rule for item in items["items"] for rule in item["materials"]
        }
        self.cases = self._complete(spec["cases"])

    def page(self, case: Page, material: Page) -> dict[str, Any]:
        """Give what stands on a material's page."""
        item = self._spec["items"][case["item"]]
        department = self._spec["departments"][item["organisation"]]["zh"]
        holder = self._spec["holders"][case["holder"]]
        ours = self._rule(case, material)["group"] != "application"
        at = dt.datetime.fromisoformat(case["decided"]) - dt.timedelta(hours=23)
        if ours and material["code"] in {"decision", "acceptance-notice"}:
            at = dt.datetime.fromisoformat(case["decided" if material["code"] == "decision" else "accepted"])
        elif not ours:
            at = dt.datetime.fromisoformat(case["accepted"]) - dt.timedelta(minutes=25)
        rows = [("办件编号", case["number"]), ("事项名称", item["zh"]), ("申请人", holder["name"])]
        if material["code"] == "application-form":
            rows += [("证件号码", holder["code"]), ("联系地址", holder["address"])]
        return {
            "number": case["number"],
            "title": material.get("title") or self._rule(case, material)["zh"],
            "rows": rows,
            "lines": material.get("lines") or self._lines(case, material, item["zh"], holder["name"]),
            "rooms": material.get("rooms", ()),
            "sheets": material.get("sheets", ()),
            "table": material.get("table"),
            "signer": f"{department}（演示）" if ours else f"{holder['name']} 经办人：{holder['person']}",
            "date": at.strftime("%Y年%m月%d日"),
            "at": at,
        }

    def submission(self, case: Page, folder: Path) -> dict[str, Any]:
        """Give the case's metadata; sizes and digests are those of the files in ``folder``."""
        item = self._spec["items"][case["item"]]
        holder = self._spec["holders"][case["holder"]]
        found: dict[str, Any] = {
            "source": self._spec["source"],
            "number": case["number"],
            "item": {"code": item["code"], "edition": item["edition"]},
            "holder": {name: holder[name] for name in ("scheme", "code", "name")},
            "organisation": item["organisation"],
            "accepted_at": case["accepted"],
            "decided_at": case["decided"],
            "closed_at": case["closed"],
            "result": case["result"],
            "secrecy": "公开",
            "opinions": self._opinions(case, item),
        }
        if "license" in case:
            found["license"] = case["license"]
        found["materials"] = [
            self._material(case, material, position, folder)
            for position, material in enumerate(case["materials"], start=1)
        ]
        return found

    def _complete(self, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known: dict[str, dict[str, Any]] = {}
        for case in cases:
            whole = case
            if "like" in case:
                whole = copy.deepcopy(known[case["like"]]) | {"folder": case["folder"], "like": case["like"]}
                whole["materials"] += case["materials"]
            known[case["folder"]] = whole
        return list(known.values())

    def _rule(self, case: Page, material: Page) -> Page:
        rule: Page = self._rules[self._spec["items"][case["item"]]["code"], material["code"]]
        return rule

    def _lines(self, case: Page, material: Page, item: str, holder: str) -> list[str]:
        if material["code"] == "acceptance-notice":
            return [
                f"{holder}：你（单位）提出的“{item}”申请，材料齐全，符合法定形式，本机关予以受理。",
                "依法可以通过电子证照、数据共享核验的事项，不再要求提交证明材料。",
            ]
        if case["result"] == "refused":
            why = case.get("reason", "车辆技术等级未达到规定要求")
            return [
                f"{holder}：你（单位）提出的“{item}”申请，经审查，{why}，决定不予许可。",
                "如不服本决定，可以自收到决定书之日起六十日内申请行政复议。",
            ]
        return [
            f"{holder}：你（单位）提出的“{item}”申请，经审查，符合法定条件、标准，本机关决定予以批准。",
            "请遵守有关法律、法规，并接受监督检查。本决定书为演示样张，无法律效力。",
        ]

    def _opinions(self, case: Page, item: Page) -> list[dict[str, str]]:
        first, second, third = self._spec["departments"][item["organisation"]]["people"]
        accepted, decided = (dt.datetime.fromisoformat(case[name]) for name in ("accepted", "decided"))
        review = decided - dt.timedelta(hours=22, minutes=13, seconds=len(case["folder"]))
        approved = case["result"] == "approved"
        steps = (
            (
                "受理",
                first,
                "窗口人员",
                "材料齐全，符合法定形式，同意受理。",
                accepted + dt.timedelta(minutes=6),
            ),
            (
                "审核",
                second,
                "审核人员",
                "经审核，拟同意。" if approved else "经审核，条件不具备，拟不予许可。",
                review,
            ),
            ("决定", third, "负责人", "同意。" if approved else "不予许可。", decided),
        )
        return [
            {"node": node, "author": author, "role": role, "opinion": opinion, "at": at.isoformat()}
            for node, author, role, opinion, at in steps
        ]

    def _material(self, case: Page, material: Page, position: int, folder: Path) -> dict[str, Any]:
        path = folder / material["file_name"]
        rule = self._rule(case, material)
        return {
            "part": f"m{position}",
            "code": material["code"],
            "name": material.get("name") or rule["zh"],
            "group": rule["group"],
            "file_name": material["file_name"],
            "media_type": MEDIA[path.suffix],
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }


def main() -> None:
    """Make every file that is not there yet, then write every ``case.json`` anew."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument(
        "--font", type=Path, required=True, help="TrueType font with Han characters and digits"
    )
    options.add_argument("--handbook", type=Path, required=True, help="public handbook as PDF")
    options.add_argument("--scratch", type=Path, required=True, help="empty folder for keys and sources")
    chosen = options.parse_args()
    maker = Maker(chosen.scratch, chosen.font, chosen.handbook, chosen.scratch / "pki")
    cases = Cases(json.loads((HERE / "cases.json").read_bytes()), json.loads(ITEMS.read_bytes()))
    for case in cases.cases:
        folder = HERE.parent / "cases" / case["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        for material in case["materials"]:
            path = folder / material["file_name"]
            earlier = folder.parent / case.get("like", "") / material["file_name"]
            if "like" in case and earlier.exists():
                shutil.copyfile(earlier, path)
            elif not path.exists():
                maker.make(material["maker"], cases.page(case, material), path)
        text = json.dumps(cases.submission(case, folder), ensure_ascii=False, indent=1)
        (folder / "case.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
