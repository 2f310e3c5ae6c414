"""What is said of a month's bill."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    "bill_of": Text(
        "{month} 结束的任务，按报价时的价格和服务统计的用量计算。实际扣费以服务的账单为准。",
        "Jobs that ended in {month}, at the prices of their quotes and by the tokens that the provider counted. What is charged is what the provider's own bill says.",
    ),
    "bill_local": Text(
        "这些都在本机回答，不收费；金额是服务方会收的。",
        "All of it was answered on this machine, and nothing is charged: the amounts are what the provider would take.",
    ),
    "bill_rounded": Text(
        "每个金额各自取整，所以各行相加与合计可能略有出入；--csv 有精确的金额。",
        "Each amount is rounded on its own, so the lines may not quite add up to the total; --csv has the exact ones.",
    ),
    "bill_of_nothing": Text("{month} 没有结束的任务。", "No job ended in {month}."),
    "bill_without_price": Text(
        "报价时不知道价格，或服务没有说用量，所以不知道费用：{models}。可以把价格写进存储桶根目录的 prices.yaml，对以后的任务有效。",
        "No price was known when these were quoted, or the provider told no tokens, so what they cost is not known: {models}. Put your prices into prices.yaml at the bucket's root; they hold for later jobs.",
    ),
    "bill_open": Text(
        "还有 {jobs} 个任务没有结束，各计入它结束的那个月。",
        "{jobs} job(s) are still open; each will count in the month in which it ends.",
    ),
}  # fmt: skip
