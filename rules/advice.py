"""What to do: the advice texts, by the key a verdict carries (sources: DOMAIN.md 2.5, 3.2 and 4)."""

from __future__ import annotations

from campus.text import marked as _

ADVICE: dict[str, str] = {
    "water.leak": _(
        "先看表:关掉楼内用水后表还在走,就是漏水。按楼层关阀分段查,优先查卫生间水箱、茶水间和消防管。"
    ),
    "pipe.cold": _(
        "打开末端龙头保持细流,打开柜门让暖气进来,检查门窗和伴热带供电;长时间无人的楼,关总阀并放空。"
    ),
    "pipe.frozen": _(
        "管道可能已结冰:先关上游阀门,从龙头一侧开始用温水或热风缓慢化冻,严禁明火;化冻后先查漏再恢复供水。"
    ),
    "cold.above_limit": _(
        "先看门是否关严,再听压缩机、看插头和跳闸;转移食品前测中心温度,超限时间要记录,不能确定的食品不要使用。"
    ),
    "electricity.left_on": _(
        "请值班人员到现场看空调、照明、电热设备是否未关;属于必须常开的设备,请在规则里调高下班后限值。"
    ),
    "sensor.silent": _("看设备供电和电池,再看网关与网络;没有数据期间,这里的漏水、冻管或超温都看不到。"),
}
