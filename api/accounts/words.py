"""Roles, scopes and acts in the words of the people who read them."""

from __future__ import annotations

from api.accounts.account import AccountRole, Scope
from api.accounts.audit import Act
from campus.text import marked as _

ROLES = {
    AccountRole.VIEWER: _("查看"),
    AccountRole.DUTY: _("值班"),
    AccountRole.ADMIN: _("管理员"),
}
SCOPES = {
    Scope.READ: _("读取数据"),
    Scope.DUTY: _("处理告警"),
    Scope.REGISTER: _("维护登记表和校历"),
    Scope.ADMIN: _("全部权限"),
}
ACTS = {
    Act.SIGNED_IN: _("登录"),
    Act.SIGNED_IN_BY_LINK: _("用一次性链接登录"),
    Act.SIGN_IN_FAILED: _("密码错误"),
    Act.SIGN_IN_REFUSED: _("尝试过多,被拒绝"),
    Act.SIGNED_OUT: _("退出登录"),
    Act.SESSION_ENDED: _("退出一台设备"),
    Act.SIGNED_OUT_EVERYWHERE: _("退出全部设备"),
    Act.PASSWORD_CHANGED: _("修改密码"),
    Act.USER_ADDED: _("添加用户"),
    Act.USER_CHANGED: _("修改用户"),
    Act.USER_DISABLED: _("停用用户"),
    Act.USER_ENABLED: _("启用用户"),
    Act.USER_DELETED: _("删除用户"),
    Act.TOKEN_ADDED: _("添加令牌"),
    Act.TOKEN_DISABLED: _("停用令牌"),
    Act.TOKEN_ENABLED: _("启用令牌"),
    Act.TOKEN_DELETED: _("删除令牌"),
    Act.LINK_MADE: _("生成一次性登录链接"),
    Act.ALERT_ACKNOWLEDGED: _("接手告警"),
    Act.ALERT_NOTED: _("填写原因和处理"),
    Act.DEVICE_CHANGED: _("修改登记表"),
    Act.REGISTER_RELOADED: _("重新读取园区文件夹"),
    Act.CALENDAR_CHANGED: _("修改校历"),
    Act.HISTORY_REPLAYED: _("用历史数据试算规则"),
    Act.HELD_REPLAYED: _("重新处理留存的消息"),
    Act.HELD_PURGED: _("清空留存的消息"),
    Act.SET_ASIDE_TRIED: _("重试已停止处理的内容"),
    Act.DRILL_ORDERED: _("安排演练"),
    Act.DRILL_STOPPED: _("停止演练"),
    Act.MESSAGE_TESTED: _("发送测试消息"),
}
