# SPDX-License-Identifier: Apache-2.0
"""LibreOffice as a converter: one cold process per document, a throw-away profile, no network.

It runs only where it cannot reach the network: inside bubblewrap, or where the operator declares that the
whole container has none. Its exit code says nothing (it is 0 on many failures): only the file counts.
"""

import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from documents.sandbox import Layer, Limits, Sandbox, Workroom
from documents.tools import version_of
from documents.typesetting import FONT_FOLDER

_EXPORT = (
    "pdf:%s:{"
    '"SelectPdfVersion":{"type":"long","value":"3"},'
    '"UseTaggedPDF":{"type":"boolean","value":"true"},'
    '"ExportBookmarks":{"type":"boolean","value":"false"},'
    '"ExportFormFields":{"type":"boolean","value":"false"}%s}'
)
_NO_COMMENTS = ',"ExportNotes":{"type":"boolean","value":"false"}'
_FILTERS = {
    "docx": ("MS Word 2007 XML", "writer_pdf_Export", ""),
    "xlsx": ("Calc MS Excel 2007 XML", "calc_pdf_Export", _NO_COMMENTS),
}
_LIMITS = replace(Limits(), cpu_seconds=90, wall_seconds=120, open_files=1024)
_MOUNTED_FONTS = Path("/fonts")

# Typefaces of official documents that no free system has, each with what stands in for it.
_SERIF = (
    "仿宋",
    "仿宋_GB2312",
    "FangSong",
    "FangSong_GB2312",
    "宋体",
    "SimSun",
    "NSimSun",
    "新宋体",
    "华文中宋",
)
_TITLE = ("方正小标宋简体", "方正小标宋_GBK", "方正小标宋", "FZXiaoBiaoSong-B05S")
_SANS = ("黑体", "SimHei", "微软雅黑", "Microsoft YaHei", "等线", "DengXian", "华文黑体")
_SCRIPT = ("楷体", "楷体_GB2312", "KaiTi", "KaiTi_GB2312", "华文楷体", "STKaiti")
_SERIF_FACES = ("Noto Serif CJK SC", "Noto Sans CJK SC")
_SANS_FACES = ("Noto Sans CJK SC",)
_SCRIPT_FACES = ("LXGW WenKai", "AR PL KaitiM GB", "Noto Serif CJK SC", "Noto Sans CJK SC")
_STAND_INS = (
    *((name, _SERIF_FACES) for name in (*_SERIF, *_TITLE)),
    *((name, _SANS_FACES) for name in _SANS),
    *((name, _SCRIPT_FACES) for name in _SCRIPT),
)
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="BlockUntrustedRefererLinks"><value>true</value></prop>
<prop oor:name="MacroSecurityLevel"><value>3</value></prop>
<prop oor:name="DisableMacrosExecution"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update">
<prop oor:name="Link"><value>2</value></prop></item>%s
</oor:items>
"""
# A workbook is shown with the results that it holds, and dates as they are written in China.
_WORKBOOKS = """
<item oor:path="/org.openoffice.Office.Calc/Content/Update">
<prop oor:name="Link"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode"><value>1</value></prop></item>
<item oor:path="/org.openoffice.Setup/L10N">
<prop oor:name="ooSetupSystemLocale"><value>zh-CN</value></prop></item>"""


@dataclass(frozen=True)
class Office:
    """What this machine offers for office documents.

    Attributes:
        isolated: The operator's word that the surrounding container has no network.
        program: Name of the program.
    """

    isolated: bool = False
    program: str = "soffice"

    def obstacle(self, layer: Layer) -> str | None:
        """Give the reason code why nothing can be converted here, or None."""
        if not shutil.which(self.program):
            return "office-missing"
        if layer is not Layer.BUBBLEWRAP and not self.isolated:
            return "office-not-isolated"
        return None

    @property
    def version(self) -> str:
        """Version of the program, asked once per process."""
        return _version(self.program)

    def convert(self, source: Path, kind: str, sandbox: Sandbox, room: Workroom, name: str) -> None:
        """Turn a screened document, ``docx`` or ``xlsx``, into a PDF and put it into ``room`` as ``name``.

        The office program works in a room of its own, in which nothing else has run.

        Raises:
            ChildFailedError: No file came out, or the limits were reached.
        """
        with sandbox.workroom() as own:
            fonts = _MOUNTED_FONTS if own.layer is Layer.BUBBLEWRAP else FONT_FOLDER
            own.put(source, "source")
            own.write("fonts.conf", _fontconfig(fonts).encode())
            own.folder("profile/user")
            profile = _PROFILE % (_WORKBOOKS if kind == "xlsx" else "")
            own.write("profile/user/registrymodifications.xcu", profile.encode())
            own.run(self._command(own, kind), _LIMITS, {FONT_FOLDER: _MOUNTED_FONTS})
            with own.open("source.pdf") as made:
                room.put(made, name)

    def _command(self, room: Workroom, kind: str) -> list[str]:
        reads, *writes = _FILTERS[kind]
        return [
            "env",
            f"FONTCONFIG_FILE={room.inside('fonts.conf')}",
            self.program,
            f"-env:UserInstallation=file://{room.inside('profile')}",
            "--headless",
            "--norestore",
            "--nologo",
            "--nodefault",
            "--nolockcheck",
            f"--infilter={reads}",
            "--convert-to",
            _EXPORT % tuple(writes),
            "--outdir",
            room.inside(""),
            room.inside("source"),
        ]


@cache
def _version(program: str) -> str:
    return version_of([program, "--version"]) or "unknown"


def _fontconfig(fonts: Path) -> str:
    rules = "".join(
        f'<match target="pattern"><test name="family"><string>{escape(name)}</string></test>'
        f'<edit name="family" mode="assign" binding="strong">'
        f"{''.join(f'<string>{face}</string>' for face in faces)}</edit></match>\n"
        for name, faces in _STAND_INS
    )
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>\n'
        f"<dir>/usr/share/fonts</dir><dir>{escape(str(fonts))}</dir>\n"
        '<cachedir>/var/cache/fontconfig</cachedir><cachedir prefix="xdg">fontconfig</cachedir>\n'
        f"{rules}"
        # Any other face lacks Han characters or is Japanese by order of name: simplified Chinese comes first.
        '<match target="pattern"><edit name="family" mode="append" binding="weak">'
        "<string>Noto Serif CJK SC</string><string>Noto Sans CJK SC</string></edit></match>\n"
        "</fontconfig>\n"
    )
