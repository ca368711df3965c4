# SPDX-License-Identifier: Apache-2.0
"""Published field sets of licence types, each found in the type that comes with the product.

A field is named as the type names it; where types of the ministries use another word, that one counts.
"""

import pytest

from licenses.catalogue import TypeCatalogue

FIELD_SETS = {
    "食品经营许可证": (
        "经营者名称 统一社会信用代码 法定代表人 住所 经营场所 "
        "主体业态 经营项目 许可证编号 发证日期 监督管理机构"
    ),
    "医疗机构执业许可证": (
        "机构名称 第二名称 法定代表人 负责人 执业许可证号 批准日期 发证机关 诊疗科目 经营性质 机构类别"
    ),
    "民办学校办学许可证": ("许可证号 名称 代码 地址 校长 身份证 学校类型 办学内容 主管部门 发证日期"),
    "公共场所卫生许可证": (
        "名称 代码 地址 法定代表人 许可证号 许可项目 发证日期 专业类别 发证机关 年份 序号 行政区划"
    ),
    "不动产权证书": (
        "省 年份 县 流水号 权利人 共有情况 共有比例 坐落 "
        "单元号 权利类型 权利性质 用途 面积 使用期限 附记 印制号"
    ),
    "不动产登记证明": ("证明权利或事项 权利人 义务人 坐落 不动产单元号 其他 附记"),
    "道路运输经营许可证": ("业户名称 代码 许可证号 许可证字 经营范围 打印日期 机关 车辆数"),
    "危险化学品经营许可证": ("企业名称 代码 编号 许可范围 经营方式 单位类型 仓储地址 法定代表人 机关"),
    "电影放映经营许可证": ("许可证号 单位名称 代码类型 法人 经营项目 区域 注册资金 经济性质 地址 机关"),
    "建筑施工企业安全生产许可证": ("单位名称 代码 编号 许可范围 发证日期 机关 主要负责人"),
    "建筑工程施工许可证": (
        "编号 项目代码 工程名称 建设单位 用地规划许可证号 工程规划许可证号 合同价格 建设规模 开工日期"
    ),
}


@pytest.mark.parametrize("name", sorted(FIELD_SETS))
def test_a_type_has_every_field_of_its_published_set(name: str) -> None:
    (kind,) = [one for one in TypeCatalogue.load().all() if one.zh == name]
    words = {field.zh for field in kind.fields}
    words |= {column.zh for field in kind.fields for column in field.columns or ()}
    missing = [word for word in FIELD_SETS[name].split() if not any(word in one for one in words)]
    assert missing == [], sorted(words)
