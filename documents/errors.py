# SPDX-License-Identifier: Apache-2.0
"""Errors of this room. A material that has no rendition is not an error: see ``attempts.OriginalOnly``."""

from storage.errors import EXIT_CANNOT_TELL, CunzhengError, RefusedError


class TypesettingError(CunzhengError):
    """A template could not be set; ``line`` says where in the template.

    ``diagnostic`` is typst's own text for authors of templates. It can quote the data: show it in tests,
    never log it.
    """

    code = "typesetting-failed"
    title_zh = "版式文件排版失败"
    title_en = "Typesetting failed"
    remedy_zh = "请联系运维人员检查模板与数据字段。"
    remedy_en = "Have the operator check the template and the fields of its data."
    diagnostic: str = ""


class GlyphMissingError(TypesettingError):
    """The font has no glyph for a character of the data; nothing is set rather than an empty box."""

    code = "glyph-missing"
    title_zh = "字库缺少所需汉字"
    title_en = "The font lacks a character"
    remedy_zh = "请安装含该字的字库，并在字库目录设置中指明。"
    remedy_en = "Install a font that has the character and name its folder in the settings."


class SandboxUnavailableError(CunzhengError):
    """The means to limit a child process are missing on this machine; nothing is parsed without them."""

    code = "sandbox-unavailable"
    status = 503
    exit_code = EXIT_CANNOT_TELL
    title_zh = "受限处理环境不可用"
    title_en = "The sandbox is not available"
    remedy_zh = "请安装 util-linux 与 bubblewrap，并运行 cunzheng doctor 查看。"
    remedy_en = "Install util-linux and bubblewrap, then look at cunzheng doctor."


class ChildFailedError(CunzhengError):
    """A limited child gave no result; ``reason`` is a stable word.

    ``timeout``, ``memory``, ``killed`` (a limit of CPU or size, or a crash), ``oversize`` (too much output),
    ``failed`` (the program raised), ``no-output`` (the file it should have written is not there).
    """

    code = "child-failed"
    status = 422
    exit_code = EXIT_CANNOT_TELL
    title_zh = "文件无法在限定条件内处理"
    title_en = "The file could not be processed within the limits"
    remedy_zh = "请检查文件是否损坏或过大，原件已保留。"
    remedy_en = "Check whether the file is damaged or too large; the original is kept."

    @property
    def reason(self) -> str:
        """Give the stable word for what happened."""
        return str(self.facts["reason"])


class DrawingBusyError(CunzhengError):
    """So many pictures of pages are being drawn that one more would have to wait too long."""

    code = "drawing-busy"
    status = 503
    exit_code = EXIT_CANNOT_TELL
    title_zh = "页面图像生成繁忙"
    title_en = "Too many pages are being drawn"
    remedy_zh = "请稍后重新打开该页。"
    remedy_en = "Open the page again in a moment."


class UnreadableError(RefusedError):
    """The file is not a PDF that can be read; ``reason`` is one of the codes in ``formats``."""

    code = "document-unreadable"
    status = 422
    title_zh = "文件无法读取"
    title_en = "The document cannot be read"
    remedy_zh = "请确认文件完整、未加密后重新提交。"
    remedy_en = "Make sure that the file is complete and not encrypted."


class FeedRefusedError(RefusedError):
    """A file of records cannot be read at all; ``rule`` is a stable code, never a part of the file."""

    code = "feed-unreadable"
    status = 422
    title_zh = "数据文件无法读取"
    title_en = "The file of records cannot be read"
    remedy_zh = "请导出为 CSV（UTF-8 或 GB 18030）、XLSX、JSON 数组或逐行 JSON 后重试。"
    remedy_en = "Export it as CSV (UTF-8 or GB 18030), XLSX, a JSON array or JSON lines and try again."
