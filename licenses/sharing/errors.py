# SPDX-License-Identifier: Apache-2.0
"""Errors of sharing changes."""

from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError, RefusedError


class SecretMalformedError(CunzhengError):
    """A stored secret is not one of our making."""

    code = "subscription-secret"
    title_zh = "订阅密钥格式有误"
    title_en = "The subscription's secret is malformed"
    remedy_zh = "请由调用方更换订阅密钥。"
    remedy_en = "The client rotates the subscription's secret."


class SubscriptionUnknownError(NotFoundError):
    """No such subscription, or it is somebody else's: both look the same."""

    code = "subscription-unknown"
    title_zh = "未找到订阅"
    title_en = "No such subscription"
    remedy_zh = "请核对订阅编号。"
    remedy_en = "Check the subscription's id."


class SubscriptionClosedError(ConflictError):
    """The subscription was decided or has ended, or the time to decide is over."""

    code = "subscription-closed"
    title_zh = "该订阅已办结、已终止或已过审批期限"
    title_en = "The subscription was decided, has ended, or its time is over"
    remedy_zh = "仍需订阅的，请由调用方重新提出。"
    remedy_en = "If it is still wanted, the client asks anew."


class SubscriptionNotRunningError(ConflictError):
    """What was asked needs a subscription that is approved, and that sends to an endpoint."""

    code = "subscription-not-running"
    title_zh = "订阅尚未批准、已终止或未设接收地址"
    title_en = "The subscription is not approved, has ended, or has no endpoint"
    remedy_zh = "请先查看订阅的状态。"
    remedy_en = "Look at the subscription's state first."


class SubscriptionTermsError(InvalidInputError):
    """What a subscription asks for breaks a rule; ``facts`` name the field and the rule."""

    code = "subscription-terms"
    title_zh = "订阅内容不符合要求"
    title_en = "The subscription's terms break a rule"
    remedy_zh = "请按提示更正所列字段。"
    remedy_en = "Correct the named field as the rule says."


class SubscriptionsTooManyError(RefusedError):
    """The client has as many subscriptions as it may have."""

    code = "subscriptions-too-many"
    status = 409
    title_zh = "订阅数量已达上限"
    title_en = "No further subscription for this client"
    remedy_zh = "请先终止不再需要的订阅。"
    remedy_en = "End one that is not needed any more."


class DeadLetterUnknownError(NotFoundError):
    """No dead letter has this id, or no event with it waits."""

    code = "dead-letter-unknown"
    title_zh = "未找到死信或待推送的变更通知"
    title_en = "No such dead letter, or no such event waits"
    remedy_zh = "请从死信清单中选择，或核对订阅与变更通知的编号。"
    remedy_en = "Choose it in the list of dead letters, or check the ids of subscription and event."


class EndpointRefusedError(InvalidInputError):
    """Nothing may be sent to this address; ``rule`` says why."""

    code = "endpoint-refused"
    title_zh = "不得向该地址推送"
    title_en = "Nothing may be sent to this address"
    remedy_zh = (
        "请使用 https 地址，且不得指向本机、内网或链路本地地址；"
        "内网接收方须先由运维列入 CUNZHENG_RECEIVER_NETWORKS。"
    )
    remedy_en = (
        "Use an https address that is not this machine, a private or a link-local one; the operator lists "
        "private networks of receivers in CUNZHENG_RECEIVER_NETWORKS."
    )
