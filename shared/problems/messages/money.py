"""What may be wrong with prices, amounts of money and what is said about them."""

from __future__ import annotations

from shared.problems.messages.message import Message

MONEY_MESSAGES: dict[str, Message] = {
    "price_day": Message(
        "“{found}”不是日期。请写看到这个价格的那一天，例如 2026-11-27。",
        '"{found}" is no day. Write the day on which you read the price, for example 2026-11-27.',
    ),
    "price_tiers": Message(
        "up_to 是“{found}”，不行：它是一个请求的输入 Token 上限，要写整数，从小到大；只有最后一档可以不写。",
        "up_to cannot be {found}: it is the most input tokens of one request, a whole number, ascending; only the last tier may do without.",
    ),
    "price_number": Message(
        "“{found}”不是价格。请写每百万 Token 的金额，只写数字，小数点后最多六位，例如 0.8。",
        '"{found}" is no price. Write the amount for a million tokens as a number alone, with six decimals at most, for example 0.8.',
    ),
    "price_tokens": Message(
        "“{found}”不是 Token 数。请写整数，例如 1024。",
        '"{found}" is no number of tokens. Write a whole number, for example 1024.',
    ),
    "price_share": Message(
        "“{found}”不是折扣。请写批量价占实时价的比例，大于 0，最多 1，例如 0.5；不知道就写 unknown。",
        '"{found}" is no share. Write what a batch costs of the real-time price, above 0 and at most 1, for example 0.5, or unknown.',
    ),
    "price_mapping": Message(
        "这里要写成“键: 值”，而不是“{found}”。请参照 {example} 改写。",
        'Here must be keys and values, not "{found}". Write it like {example}.',
    ),
    "prices_not_used": Message(
        "有错误，所以没有使用，报价按官网目录价计算。请按下面的提示改正，之后放入的文件就会用上。",
        "It is not used, since something in it is wrong: list prices are taken instead. Correct what follows, and files that are dropped later use it.",
    ),
    "prices_unreadable": Message(
        "读不出内容。请存成 UTF-8 纯文本，不超过 64 KiB；最外层写服务名（和配方里的 provider 一样），下面写 currency 和 models。",
        "It cannot be read. Save it as plain text in UTF-8 of at most 64 KiB, with the name of a provider, as recipes have it, at the top, and below it currency and models.",
    ),
}
