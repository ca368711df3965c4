# SPDX-License-Identifier: Apache-2.0
"""Who notices when a part that ``cunzheng doctor`` looks at is not well, in Chinese and English."""

from collections.abc import Mapping
from typing import Final

AFFECTED: Final[Mapping[str, tuple[str, str]]] = {
    "tool:prlimit": ("所有人：无法读取外来文件", "everybody: no file from outside can be read"),
    "tool:setpriv": ("所有人：无法读取外来文件", "everybody: no file from outside can be read"),
    "tool:bubblewrap": (
        "整个系统：外来文件只受资源限制，未作隔离",
        "the installation: files from outside are limited, not isolated",
    ),
    "tool:LibreOffice": (
        "归档员：DOCX、XLSX 材料仅存原件",
        "archivists: DOCX and XLSX are kept as original only",
    ),
    "tool:Noto Serif CJK SC": (
        "归档员：DOCX、XLSX 的宋体文字换用其他字体",
        "archivists: Song typefaces in DOCX and XLSX become others",
    ),
    "tool:pdfsig": ("仅运维与开发人员", "operators and developers only"),
    "tool:pdftocairo": ("仅运维与开发人员", "operators and developers only"),
    "tool:qpdf": ("仅运维与开发人员", "operators and developers only"),
    "algorithms": (
        "归档员与调用方：任何文件都无法接收",
        "archivists and calling systems: no file can be taken in",
    ),
    "installation": ("所有人：系统不能启动", "everybody: nothing starts"),
    "sandbox": (
        "整个系统：有害文件可触及网络与其他文件",
        "the installation: a hostile file reaches network and other files",
    ),
    "database": ("所有人：系统拒绝服务", "everybody: nothing is answered"),
    "keys": ("所有人：系统不启动", "everybody: nothing starts"),
    "space": ("归档员与调用方：即将无法接收", "archivists and calling systems: soon nothing is taken in"),
    "objects": (
        "归档员与调用方：归档停止；核验与免证查询照常",
        "archivists and calling systems: filing stops; checks and proofs go on",
    ),
    "lock": ("监察员：已归档文件可能被提前删除", "supervisors: filed bytes may be removed before their time"),
    "renewal": ("监察员：所列案卷的锁定将到期", "supervisors: the locks of the dossiers named end"),
    "steps": (
        "归档员与办事人：所列办件的归档或证照在等",
        "archivists and holders: filings or licences of these cases wait",
    ),
    "ledger": (
        "所有人：滞后过久时，须存证的操作都被拒绝",
        "everybody: what must be recorded is refused when it lags too long",
    ),
    "time": (
        "归档员：用章可能被拒，归档与签发等待",
        "archivists: seals may be refused, filings and licences wait",
    ),
    "seals": (
        "相关部门：不能用章，其归档与证照等待",
        "the seals' departments: they cannot seal, their filings and licences wait",
    ),
    "index": ("检索的人：结果不全", "whoever searches: hits are missing"),
    "sharing": ("所列订阅的调用方：收不到变更", "the subscribers named: changes do not reach them"),
    "backup": ("目前无人；损坏时所有人", "nobody now; everybody after a loss"),
    "processes": (
        "所有人：未运行的进程不做的事，见状态",
        "everybody: what the process that does not run would do waits",
    ),
    "calendar": (
        "归档员、受理部门与办事人：跨年的期限算早",
        "archivists, departments and holders: deadlines beyond the year fall too early",
    ),
    "broker": ("归档员：步骤晚几秒开始", "archivists: steps start seconds later"),
}
"""By part, as the doctor names it."""
