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
    "prices_empty": Message(
        "是空的，没有写任何价格，因此报价按官网目录价计算。",
        "It is empty and says no prices, so list prices are taken.",
    ),
    "prices_unreadable": Message(
        "读不出内容。请存成 UTF-8 纯文本，不超过 64 KiB；最外层写服务名（和配方里的 provider 一样），下面写 currency 和 models。",
        "It cannot be read. Save it as plain text in UTF-8 of at most 64 KiB, with the name of a provider, as recipes have it, at the top, and below it currency and models.",
    ),
    "not_an_amount": Message(
        "“{found}”不是金额。请写数字和币种，例如 200 CNY 或 50 元。",
        '"{found}" is no amount. Write a number and its currency, for example 200 CNY or 30 USD.',
    ),
    "budget_unreadable": Message(
        "读不出内容。请存成 UTF-8 纯文本，不超过 64 KiB；在这之前，新放进来的文件都会被退回。",
        "It cannot be read. Save it as plain text in UTF-8 of at most 64 KiB; until then, every file that is dropped is refused.",
    ),
    "budget_not_a_mapping": Message(
        "budget.yaml 里要写这个月最多花多少，例如 month: 500 CNY，或 folders: {{marketing: 100 CNY}}。",
        "budget.yaml must say what may be spent in a month, for example month: 500 CNY, or folders: {{marketing: 100 CNY}}.",
    ),
    "ceiling_without_price": Message(
        "这里有费用上限 {limit}，但不知道 {model} 的价格，无法保证不超过，所以没有发送。请把它的价格写进存储桶根目录的 prices.yaml，或{remove}。",
        "There is a ceiling of {limit}, but the price of {model} is not known, so it cannot be kept and nothing was sent. Put its price into prices.yaml at the bucket's root, or {remove}.",
    ),
    "ceiling_without_bound": Message(
        "这里有费用上限 {limit}，但输出多长没有限制，无法保证不超过，所以没有发送。请在 parameters（请求文件是每行的 body）里写 {write}，或{remove}。",
        "There is a ceiling of {limit}, but nothing limits the output, so it cannot be kept and nothing was sent. Write in parameters, or in each body of request lines, {write}, or {remove}.",
    ),
    "ceiling_beyond_text": Message(
        "这里有费用上限 {limit}，但请求里有图片、音频、视频或联网搜索，它们用多少 Token 事先无法知道，不能保证不超过，所以没有发送。请去掉这些内容，或{remove}。",
        "There is a ceiling of {limit}, but the requests hold images, sounds or films, or let the model search: nobody knows how many tokens those have, so it cannot be kept and nothing was sent. Take them out, or {remove}.",
    ),
    "budget_folder": Message(
        "“{found}”不是一个单独的文件夹：它指整个 inbox/，或者写了两次，或者有“.”“..”“*”“\\”空的一级，或开头、末尾有空格。全部文件的上限请写 month；每个文件夹只写一次，写 inbox/ 下的路径，例如 marketing/mails。",
        '"{found}" names no folder of its own: it is all of inbox/, or it stands there twice, or it has ".", "..", "*", "\\" an empty level, or a blank at the end of one. Write month for all files, and each folder once, as its path below inbox/, such as marketing/mails.',
    ),
    "ceiling_currency": Message(
        "费用上限 {limit} 和 {model} 的价格不是同一种货币，无法比较，所以没有发送。请用 {currency} 写上限。",
        "The ceiling of {limit} and the price of {model} are in different currencies, so nothing was sent. Write the ceiling in {currency}.",
    ),
    "ceiling_too_low": Message(
        "费用上限是 {limit}，而一个批次（{rows} 行）最多可能要 {needed}，永远放不下，所以没有发送。请{lower}，或{increase}。",
        "The ceiling is {limit}, but a single batch ({rows} rows) may cost up to {needed} and would never fit, so nothing was sent. {lower}, or {increase}.",
    ),
    "ceiling_below_quote": Message(
        "最多可能要 {needed}，超过费用上限 {limit}：批次会一个接一个发送，放不下的行不发送，结果里会写明原因{again}。",
        "It may cost up to {needed}, more than the ceiling of {limit}: its batches go one after another, and rows that no longer fit are not sent; the result says so{again}.",
    ),
    "ceiling_unknown": Message(
        "有费用上限，但不知道这些行最多要花多少，所以没有发送。",
        "There is a ceiling, but nobody can say what these rows may cost, so they were not sent.",
    ),
    "recipe_sample": Message(
        "“{found}”不行：sample 是先实时问多少行，请写 1 到 100 的整数，例如 sample: 20。",
        'sample cannot be "{found}": it is how many rows are asked in real time first. Write a whole number from 1 to 100, for example sample: 20.',
    ),
    "expect_without_sample": Message(
        "expect 说的是拿样本的答案和哪一列比较，所以还要写 sample，例如 price: {{sample: 20, expect: 类别}}。",
        "expect says which column the sample's answers are compared with, so sample must be there, too, for example price: {{sample: 20, expect: category}}.",
    ),
    "expect_not_there": Message(
        "表格里没有“{found}”这一列。expect 要写存放正确答案的那一列；现有的列：{columns}。",
        'The table has no column "{found}". expect names the one that holds the right answers; there is: {columns}.',
    ),
    "expect_twice": Message(
        "表格里有 {count} 列都可以叫“{found}”，不知道正确答案在哪一列。请给其中一列改名。",
        'The table has {count} columns that "{found}" may mean, so which one holds the right answers is not clear. Rename all but one of them.',
    ),
    "expect_unclear": Message(
        "不知道拿哪个答案和“{found}”列比较：配方的 columns 里有 {columns}。请让其中一列和它同名，或只留一列。",
        'Which answer is to be compared with the column "{found}" is not clear: the recipe\'s columns are {columns}. Give one of them its name, or leave only one.',
    ),
    "expect_of_lines": Message(
        "请求行没有列，无法用 expect: {found} 比较答案。请去掉 expect，或改用表格。",
        "Request lines have no columns, so expect: {found} has nothing to compare with. Remove expect, or drop a table.",
    ),
    "sample_no_lane": Message(
        "没有问样本：{provider} 没有可用的实时调用，报价不含样本，任务照常进行。",
        "No sample: no service of {provider} for single requests can be asked. The quote does without, and the job goes on.",
    ),
    "sample_no_key": Message(
        "没有问样本：没有设置{provider}实时调用的密钥 {reply}，请告诉管理员。报价不含样本，任务照常进行。",
        "No sample: {reply}, the key for single requests to {provider}, is not set; tell the operator. The quote does without, and the job goes on.",
    ),
    "sample_lane_down": Message(
        "没有继续问样本：实时调用没有回答（{reply}）。任务照常进行。",
        "The sample was not asked further: the service for single requests did not answer ({reply}). The job goes on.",
    ),
    "sample_no_room": Message(
        "没有问样本：费用上限下的余额不够，任务照常进行。",
        "No sample: there is not enough left under the ceilings. The job goes on.",
    ),
    "sample_cancelled": Message(
        "没有继续问样本：任务已取消。",
        "The sample was not asked further: the job was cancelled.",
    ),
    "sample_replaced": Message(
        "没有继续问样本：文件换成了另一版。",
        "The sample was not asked further: the file was replaced.",
    ),
    "over_ceiling": Message(
        "这些行没有（再次）发送：任务的费用上限是 {limit}，已花 {spent}，还剩 {free}，而这些行最多可能要 {needed}。scripts/batchdrop retry 会以同样的上限重新开始，只发送没有答案的行。",
        "These rows were not sent, or not sent again: the job's ceiling is {limit}, {spent} is spent and {free} is left, but they may cost up to {needed}. scripts/batchdrop retry sends the rows without an answer, under the same ceiling anew.",
    ),
    "over_ceiling_now": Message(
        "任务的费用上限是 {limit}：已花 {spent}，正在运行的批次预留 {reserved}，还剩 {free}，而这个批次最多可能要 {needed}。正在运行的批次结束后会自动继续。",
        "The job's ceiling is {limit}: {spent} is spent, {reserved} is reserved by batches under way and {free} is free, but this batch may cost up to {needed}. It goes on by itself when those have ended.",
    ),
    "usage_not_told": Message(
        "服务没有说这些答案用了多少 Token，所以不知道花了多少钱。请以服务的账单为准。",
        "The provider did not say how many tokens these answers took, so what they cost is not known. Its own bill says.",
    ),
    "over_budget": Message(
        "本月预算（{whose}）是 {limit}：已花 {spent}，正在运行的批次预留 {reserved}，还剩 {free}，而这个批次最多可能要 {needed}。{when}自动继续；也可以请管理员提高{where}。",
        "This month's budget of {whose} is {limit}: {spent} is spent, {reserved} is reserved by batches under way and {free} is free, but this batch may cost up to {needed}. It goes on by itself {when}, or once the operator raises {where}.",
    ),
    "over_every_month": Message(
        "这个批次最多可能要 {needed}，而本月预算（{whose}）是 {limit}：一整个月的预算也放不下，不会自动继续。请管理员提高{where}，或取消任务。",
        "This batch may cost up to {needed}, but the budget of {whose} for a whole month is {limit}: next month it would not fit either. Ask the operator to raise {where}, or cancel the job.",
    ),
    # Approvals
    "within_without_approve": Message(
        "这里写了等多久，却没有写 approve，所以不会等。请加上 approve: always 或 approve: above 50 CNY，或去掉 approve_within。",
        "It says for how long to wait, but without approve nothing waits. Add approve: always or approve: above 50 CNY, or remove approve_within.",
    ),
    "not_approved": Message(
        "这些行没有发送，除了配方要求的样本也没有产生费用：报价要先批准，而到 {until} 没有人批准。需要运行的话，请把文件再放进 inbox/ 一次，或执行 scripts/batchdrop retry，然后批准。",
        "These rows were not sent, and apart from a sample that the recipe asked for, nothing is charged: the quote was to be approved, and nobody did by {until}. To have them answered, drop the file once more or run scripts/batchdrop retry, and approve it then.",
    ),
    "replaced": Message(
        "这些行没有（再次）发送：任务还在等待时，文件换成了另一版，由任务 {job_id} 处理。还要这一版的答案，请把它再放进 inbox/ 一次。",
        "These rows were not sent, or not sent again: while their job waited, a later version of the file was dropped, which is job {job_id}. To have this version answered after all, drop it once more.",
    ),
    "approval_without_file": Message(
        "这是对文件“{found}”的批准，但同一个文件夹里没有“{found}”。请把批准文件放到“{found}”所在的文件夹，名字是那个文件的全名加上 .approve。",
        'It approves a file "{found}", but no such file is in this folder. Put the approval into the folder of "{found}", under the whole name of that file with .approve at its end.',
    ),
    "approval_without_quote": Message(
        "文件 {found} 现在的这一版还没有报价：它还在检查，或者被退回了。请看 quotes/ 和 rejected/，有了报价再批准。",
        "The version of {found} that is there now has no quote: it is still being checked, or was refused. Look into quotes/ and rejected/, and approve it once there is a quote.",
    ),
    "approval_unreadable": Message(
        "批准文件里应该只有报价编号，例如 933a730e7032，而不是“{found}”。编号写在报价 {quote} 里。",
        'An approval holds the quote number alone, such as 933a730e7032, not "{found}". The number is in the quote {quote}.',
    ),
    "approval_empty": Message(
        "批准文件是空的，里面应该写报价编号，例如 933a730e7032。编号写在报价 {quote} 里。",
        "The approval is empty. It must hold the quote number, such as 933a730e7032, which is in the quote {quote}.",
    ),
    "approval_of_another": Message(
        "“{found}”不是这个文件现在的报价编号：可能写错了，也可能文件、配方或价格后来变了。这次批准无效。请看现在的报价 {quote}，同意就用它的编号批准。",
        '"{found}" is not the number of the quote as it is now: it may be mistyped, or the file, the recipe or the price has changed since. This approval does not count. Look at the quote {quote}, and approve that one by its number if you agree.',
    ),
    "approval_not_needed": Message(
        "任务 {job_id} 不用批准，已经在运行或已经结束。没有改变什么。",
        "Job {job_id} needs no approval: it runs already, or has ended. Nothing is changed.",
    ),
    "approval_too_late": Message(
        "任务 {job_id} 要在 {until} 之前批准，现在太晚了：它已经关闭，没有发送，除了配方要求的样本也没有产生费用。请把文件再放进 inbox/ 一次，或执行 scripts/batchdrop retry，它会重新等待批准。",
        "Job {job_id} was to be approved by {until}, so this is too late: it is closed, and apart from a sample that the recipe asked for, nothing was sent or charged. Drop the file once more or run scripts/batchdrop retry, and it waits for an approval again.",
    ),
    "approval_of_cancelled": Message(
        "任务 {job_id} 已取消，不能再批准。还要运行的话，等它关闭以后执行 scripts/batchdrop retry，然后批准。",
        "Job {job_id} was cancelled, so it cannot be approved any more. To run it after all, run scripts/batchdrop retry once it is closed, and approve it then.",
    ),
    "approval_of_replaced": Message(
        "报价之后，文件 {name} 换成了另一版，任务 {job_id} 是旧的那一版，所以这次批准无效。请看现在这一版的报价 {quote}，批准那一份；如果这一版被退回了，请看 rejected/ 里的报告。",
        "The file {name} was replaced after this quote, so job {job_id} is of an older version, and this approval does not count. Look at the quote {quote} of the version there now, and approve that one; if that version was refused, see its report in rejected/.",
    ),
}
