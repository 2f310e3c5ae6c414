"""What is said of links to the page."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    "no_page": Text(
        "不知道页面的地址和密钥，因此没有链接。请把环境变量 {variables} 设置为函数 page 的网址和它的 PAGE_SECRET（至少 32 个字符）；本地云的页面不需要链接。",
        "The page's address and secret are not known, so there is no link. Set the environment variables {variables} to the URL of the function page and to its PAGE_SECRET (32 characters at least). The page of a local cloud needs no link.",
    ),
    "no_such_folder": Text(
        "“{folder}”不能作为 inbox/ 里的文件夹。请写成 reviews 或 reviews/2026 这样的名字。",
        '"{folder}" can be no folder in inbox/. Give a name such as reviews or reviews/2026.',
    ),
    "no_such_link": Text(
        "这不是此页面的链接，没有可撤销的内容。请完整粘贴链接，或给出生成时显示的编号。",
        "This is no link to this page, so there is nothing to withdraw. Paste the whole link, or give the id that was shown when it was made.",
    ),
    "link_made": Text(
        "拿到这个链接的人可以使用 {folder}，有效期至 {until}。请只发给该用的人；撤销：scripts/batchdrop link --withdraw {id}。",
        "Whoever has this link may use {folder}, until {until}. Send it only to those who should; withdraw it with scripts/batchdrop link --withdraw {id}.",
    ),
    "link_to_nothing": Text(
        "{folder} 里还没有文件。如果文件夹名写错了，请撤销这个链接，再生成一个。",
        "Nothing is in {folder} yet. If that is mistyped, withdraw this link and make another one.",
    ),
    "link_withdrawn": Text("链接 {id} 已撤销，即刻失效。", "The link {id} is withdrawn and opens nothing any more."),
    "id_withdrawn": Text(
        "编号为 {id} 的链接从现在起不能再使用。请核对编号：如果写错了，原来的链接仍然有效。",
        "A link with the id {id} opens nothing from now on. Check the id: if it is mistyped, the link you mean is still open.",
    ),
}  # fmt: skip
