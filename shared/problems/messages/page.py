"""What the page answers instead of doing what it was asked."""

from __future__ import annotations

from shared.problems.messages.message import Message

_ASK = "请向管理员要一个新的链接。"
_ASK_EN = "Ask the operator for a new link."

PAGE_MESSAGES: dict[str, Message] = {
    # The link
    "link_missing": Message(
        f"这个页面要用链接打开，而地址里没有链接的凭证。请从收到的链接重新打开；如果没有，{_ASK}",
        f"This page is opened by a link, and the address holds none. Open the link that you were given. {_ASK_EN}",
    ),
    "link_invalid": Message(
        f"这个链接无效，可能没有复制完整。请重新复制整个链接；如果还是不行，{_ASK}",
        f"This link is not valid; perhaps it was not copied whole. Copy all of it once more. {_ASK_EN}",
    ),
    "link_expired": Message(
        f"这个链接已于 {{expired_at}} 过期。文件和结果都还在。{_ASK}",
        f"This link expired at {{expired_at}}. The files and the results are still there. {_ASK_EN}",
    ),
    "link_withdrawn": Message(
        f"这个链接已被收回。文件和结果都还在。{_ASK}",
        f"This link was withdrawn. The files and the results are still there. {_ASK_EN}",
    ),
    "page_closed": Message(
        "这个页面还没有启用。请管理员设置参数 PageSecret，然后用 scripts/batchdrop link 生成链接。",
        "This page is not in use yet. The operator must set the parameter PageSecret, and then make links with scripts/batchdrop link.",
    ),
    "operator_only": Message(
        "这里只有管理员的链接才能看到。请用管理员的链接打开。",
        "Only an operator's link shows this. Open the page with one.",
    ),
    # The request
    "not_from_page": Message(
        "这个请求不是从页面发来的，没有执行。请刷新页面再试。",
        "This request did not come from the page, so nothing was done. Reload the page and try again.",
    ),
    "bad_request": Message(
        "页面发来的内容无法识别，没有执行。请刷新页面再试。",
        "What the page sent cannot be understood, so nothing was done. Reload the page and try again.",
    ),
    "no_such_address": Message(
        "没有这个地址。请刷新页面再试。",
        "There is no such address. Reload the page and try again.",
    ),
    "request_too_large": Message(
        "发送的内容太大，没有执行。请减少内容，例如缩短前几行的文字，再试一次。",
        "What was sent is too large, so nothing was done. Send less, for example shorter first rows, and try again.",
    ),
    "too_many_previews": Message(
        "试运行太频繁。请等一分钟再试。",
        "There were too many previews. Wait a minute and try again.",
    ),
    "not_reached": Message(
        "存储服务暂时没有响应，没有完成。请稍后再试；重试操作会接着上次的进度继续。",
        "The store does not answer at the moment, so this was not completed. Try again in a while; a retry goes on where it was.",
    ),
    # Files
    "no_such_file": Message(
        "这个文件夹里没有“{found}”。可能已被删除或改名，请刷新列表。",
        'There is no "{found}" in this folder. Perhaps it was deleted or renamed; reload the list.',
    ),
    "name_not_taken": Message(
        "“{found}”不能作为文件名。请去掉开头的点、“..”和不可见字符，缩短名称，再试一次。",
        '"{found}" cannot be the name of a file here. Remove a leading dot, ".." and invisible characters, shorten the name, and try again.',
    ),
    "upload_too_large": Message(
        "文件太大：通过页面最多上传 {max_bytes:,} 字节。请拆分文件或压缩为 .gz，也可以用 OSS 的工具放入 inbox/。",
        "The file is too large: the page takes {max_bytes:,} bytes at most. Split it, pack it as .gz, or put it into inbox/ with a tool of OSS.",
    ),
    "too_large_to_show": Message(
        "表格超过 {max_bytes:,} 字节，无法在页面上预览前几行；仍然可以上传。",
        "The table has more than {max_bytes:,} bytes, so its first rows cannot be shown here; it can be uploaded all the same.",
    ),
    "nothing_to_download": Message(
        "“{found}”还没有结果，也没有报告。请等它处理完。",
        'There is no result and no report of "{found}" yet. Wait until it is done.',
    ),
    "recipe_wrong": Message(
        "配方有问题，没有保存。请按下面的说明修改。",
        "There is something wrong with the recipe, so it was not saved. Correct it as described.",
    ),
    "recipe_changed": Message(
        "这个文件夹的配方刚刚被别人改过，没有保存，以免覆盖。请刷新页面，看过新的配方再保存。",
        "Somebody has just changed the recipe of this folder, so yours was not saved over it. Reload the page, look at the new one, and save again.",
    ),
    # Jobs
    "job_replaced": Message(
        "“{found}”已被重新上传，现在是另一个任务，所以没有执行。请刷新列表后再操作。",
        '"{found}" was dropped again and is another job now, so nothing was done. Reload the list and try again.',
    ),
    "nothing_to_cancel": Message(
        "“{found}”没有正在进行的任务，不需要取消。请刷新列表。",
        'No job of "{found}" is under way, so there is nothing to cancel. Reload the list.',
    ),
    "nothing_to_retry": Message(
        "“{found}”没有可以重新发送的行。请刷新列表。",
        'No row of "{found}" can be sent again. Reload the list.',
    ),
    "retry_not_possible": Message(
        "“{found}”的任务无法重试：它还没有结束，或它的记录已被清除或抹除。请刷新列表，或修改文件后重新上传。",
        'The job of "{found}" cannot be retried: it has not ended, or its records were removed or erased. Reload the list, or change the file and drop it again.',
    ),
    # What the operator's link shows
    "channel_unknown": Message(
        "通知渠道“{found}”没有设置，{words} 条通知没有发出。请在 notify 中改正名称，或在参数 NotifyChannels 中加上它；24 小时内设好，通知会补发。",
        'The notification channel "{found}" is not set up, so {words} notification(s) were not sent. Correct its name under notify, or add it to the parameter NotifyChannels. Within 24 hours, they are sent then.',
    ),
    "channel_wrong": Message(
        "通知渠道“{found}”的设置有误，{words} 条通知没有发出。请按函数 notify 的日志（word.refused）改正参数 NotifyChannels；24 小时内改好，通知会补发。",
        'The notification channel "{found}" is set up wrongly, so {words} notification(s) were not sent. Correct the parameter NotifyChannels as the log of the function notify says (word.refused). Within 24 hours, they are sent then.',
    ),
    "channel_refuses": Message(
        "通知渠道“{found}”还没有收下 {words} 条通知；24 小时内会自动重试。原因见函数 notify 的日志（word.refused）。",
        'The notification channel "{found}" has not taken {words} notification(s) yet; they are tried again for 24 hours. See the log of the function notify for why (word.refused).',
    ),
    "no_preview": Message(
        "{provider}没有实时接口，或这里没有设置它的密钥，不能试运行。请直接上传文件。",
        "{provider} has no real-time endpoint, or its key is not set here, so there is no preview. Upload the file instead.",
    ),
}
