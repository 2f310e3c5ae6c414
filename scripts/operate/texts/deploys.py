"""What is said of deployments: what is missing, what happens, how it ended."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    # Before anything is done
    "installing_sdk": Text(
        "正在安装部署用的软件包（仅首次）…", "Installing the packages that deploying needs (once) …"
    ),
    "sdk_not_installed": Text(
        "部署用的软件包没有装好：{reason}。请检查网络后重试。",
        "The packages that deploying needs were not installed: {reason}. Check the network and try again.",
    ),
    "deploy_no_keys": Text(
        "缺少环境变量 {variables}。请设置有部署权限的 RAM 用户的 AccessKey；如果要在本机试部署，请先运行 .venv/bin/python -m scripts.localcloud.ros --data DIR，再加上 --data DIR。",
        "These variables are not set: {variables}. Set the AccessKey of a RAM user who may deploy. To try it on this machine, run .venv/bin/python -m scripts.localcloud.ros --data DIR and add --data DIR.",
    ),
    "deploy_no_account": Text(
        "文件夹 {folder} 没有正在运行的本地账号。请先运行 .venv/bin/python -m scripts.localcloud.ros --data {folder}。",
        "No local account is running on {folder}. Start it first: .venv/bin/python -m scripts.localcloud.ros --data {folder}.",
    ),
    "deploy_wrong_parameter": Text(
        "--parameter 应写成 名称=值 或 名称=@文件，而不是“{text}”。",
        '--parameter takes NAME=VALUE or NAME=@FILE, not "{text}".',
    ),
    "deploy_no_text": Text(
        "{file} 不是 UTF-8 文本，不能作为参数的值。",
        "{file} is no UTF-8 text, so it cannot be a parameter's value.",
    ),
    "deploy_exists": Text(
        "资源栈 {stack} 已经存在（{status}）。要换成当前版本，请用 scripts/batchdrop upgrade。",
        "The stack {stack} exists already ({status}). For this version, use scripts/batchdrop upgrade.",
    ),
    "deploy_bucket_taken": Text(
        "存储桶 {bucket} 已经存在，但不是 Batchdrop 留下的，因此没有动它。请写另一个名字。",
        "The bucket {bucket} exists already and was not kept from an earlier deployment, so it is left alone. Give another name.",
    ),
    "deploy_no_stack": Text(
        "地域 {region} 没有资源栈 {stack}。请检查 --stack 和 --region，或先用 scripts/batchdrop deploy 部署。",
        "There is no stack {stack} in {region}. Check --stack and --region, or deploy it first with scripts/batchdrop deploy.",
    ),
    "deploy_busy": Text(
        "资源栈 {stack} 现在不能更改：{status}（{reason}）。请等它结束后再试；如果它停在失败状态，请在 ROS 控制台处理。",
        "The stack {stack} cannot be changed now: {status} ({reason}). Try again when that has ended; if it stays failed, fix it in the ROS console.",
    ),
    "deploy_refused": Text(
        "云服务拒绝了请求：{reason}。请运行 scripts/batchdrop doctor，它会逐项说明缺少什么。",
        "The cloud refused: {reason}. Run scripts/batchdrop doctor, which tells one by one what is missing.",
    ),
    "deploy_not_sure": Text(
        "没有做任何更改。确认后请加 --yes 再运行。", "Nothing was changed. To go on, run it again with --yes."
    ),
    "deploy_left": Text("没有做任何更改。", "Nothing was changed."),
    "deploy_same_bucket": Text(
        "存放代码的存储桶不能就是 {bucket}。请用 --code-bucket 另写一个名字。",
        "The functions' zips cannot lie in {bucket} itself. Name another bucket by --code-bucket.",
    ),
    "deploy_oss": Text(
        "OSS 拒绝了请求，或没有应答：{reason}。请检查存储桶的名字、地域和权限，然后重新运行。",
        "OSS refused or did not answer: {reason}. Check the bucket's name, region and rights, then run it again.",
    ),
    "deploy_build": Text(
        "无法构建函数的 zip：{reason}。请改正后重新运行。",
        "A function's zip cannot be built: {reason}. Correct that and run it again.",
    ),
    # What happens
    "deploy_building": Text("正在构建各函数的 zip …", "Building the functions' zips …"),
    "deploy_uploading": Text("正在上传到 {bucket}/{prefix} …", "Uploading to {bucket}/{prefix} …"),
    "deploy_creating": Text("正在创建资源栈 {stack} …", "Creating the stack {stack} …"),
    "deploy_updating": Text("正在更新资源栈 {stack} …", "Updating the stack {stack} …"),
    "deploy_deleting": Text("正在删除资源栈 {stack} …", "Deleting the stack {stack} …"),
    "deploy_cleaning": Text(
        "上次创建没有成功，正在清除它留下的资源栈 {stack} …",
        "The last creation failed; removing the stack {stack} that it left …",
    ),
    "deploy_smoke": Text(
        "正在用免费的测试模型试运行一行 …", "Answering one row by the free test model, as a smoke test …"
    ),
    "deploy_smoke_left_out": Text(
        "默认提供方不是百炼，没有免费的测试模型，跳过了试运行。",
        "The smoke test is left out: the default provider is not Bailian, whose test model is free.",
    ),
    # How it ended
    "deploy_done": Text(
        "部署完成（版本 {version}），{smoke}。把文件放进 oss://{bucket}/inbox/，结果在 oss://{bucket}/results/。",
        "Deployed (version {version}), {smoke}. Drop files into oss://{bucket}/inbox/, find answers in oss://{bucket}/results/.",
    ),
    "deploy_idle": Text(
        "没有人上传文件时，每月约 {low} 到 {high} 元（按价目表推算，见 functions/README.md）。",
        "While nobody drops a file, it costs about {low} to {high} yuan a month, reckoned from the price lists (functions/README.md).",
    ),
    "deploy_link": Text(
        "页面，供管理员使用（30 天，不要转给别人）：{url}",
        "The page, for the operator (30 days, for nobody else): {url}",
    ),
    "deploy_page": Text(
        "页面：{url}，用 scripts/batchdrop link 生成可以打开它的链接。",
        "The page: {url}. A link that opens it is made by scripts/batchdrop link.",
    ),
    "deploy_page_without_domain": Text(
        "浏览器会下载函数默认域名上的页面，而不是显示它。请用 --parameter 设置 PageDomain、PageCertificate 和 PageCertificateKey 后再升级。",
        "Browsers download what a function answers at its own address instead of showing it. Set PageDomain, PageCertificate and PageCertificateKey by --parameter with upgrade.",
    ),
    "deploy_written": Text(
        "其他命令需要的变量（含页面密钥，仅限本人读取）在 {path}：set -a; . {path}; set +a",
        "What other commands need, with the page's secret and for your eyes only, is in {path}: set -a; . {path}; set +a",
    ),
    "deploy_failed": Text(
        "资源栈没有建成：{reason}。已建的部分已经撤回。请运行 scripts/batchdrop doctor，改正后再次运行 deploy。",
        "The stack was not created: {reason}. What was made is gone again. Run scripts/batchdrop doctor, fix what it names, and deploy again.",
    ),
    "deploy_smoke_failed": Text(
        "版本 {version} 已部署，但试运行没有得到答案：{reason}。请查看日志服务中各函数的日志；改正后用 upgrade，或用 destroy 删除。",
        "Version {version} was deployed, but the smoke test got no answer: {reason}. Look at the functions' logs; then upgrade, or destroy it.",
    ),
    "upgrade_from": Text(
        "从版本 {old} 到版本 {new}（{prefix}）。下列资源会变：",
        "From version {old} to {new} ({prefix}). These resources change:",
    ),
    "upgrade_without_way_back": Text(
        "当前版本（{prefix}）不是用这个程序上传的：如果新版本没有应答，不能自动退回。",
        "The present version ({prefix}) was not uploaded by this program: if the new one does not answer, there is no way back.",
    ),
    "upgrade_nothing": Text(
        "没有变化：资源栈 {stack} 已经是这个版本。要更换密钥，请写明 --parameter，例如 DashScopeApiKey=…。",
        "Nothing to do: the stack {stack} has this version already. To change a key, name it by --parameter, such as DashScopeApiKey=….",
    ),
    "upgrade_done": Text(
        "升级完成（版本 {version}），{smoke}。正在处理的任务会接着做。",
        "Upgraded (version {version}), {smoke}. Jobs that were under way go on.",
    ),
    "upgrade_untested": Text(
        "资源栈 {stack} 已经是这个版本，但还没有试运行成功过，现在试运行。",
        "The stack {stack} has this version already, but it was never seen to answer; trying it now.",
    ),
    "upgrade_failed": Text(
        "更新没有成功：{reason}。ROS 已经退回原来的版本，任务照常进行。",
        "The update failed: {reason}. ROS went back to the former version; jobs go on.",
    ),
    "upgrade_taken_back": Text(
        "新版本的试运行没有得到答案（{reason}），已经退回版本 {old}。",
        "The new version's smoke test got no answer ({reason}), so the stack is back at version {old}.",
    ),
    "upgrade_secrets": Text(
        "下列密钥保留了这次升级的值：{names}。如果其中有错，请用 upgrade --parameter 改正，否则任务会一直等待。",
        "These secrets keep the values of this upgrade: {names}. If one is wrong, jobs wait until upgrade --parameter sets it right.",
    ),
    "upgrade_stuck": Text(
        "新版本的试运行没有得到答案（{reason}），但没有能退回原来的版本：{why}。请运行 scripts/batchdrop rollback。",
        "The new version's smoke test got no answer ({reason}), and the former version could not be restored: {why}. Run scripts/batchdrop rollback.",
    ),
    "rollback_none": Text(
        "资源栈 {stack} 没有可以退回的版本（当前 {prefix}）。",
        "There is no version to go back to from {prefix} of the stack {stack}.",
    ),
    "rollback_about": Text(
        "将把资源栈 {stack} 退回版本 {version}（{prefix}）。密钥不会退回。",
        "This takes the stack {stack} back to version {version} ({prefix}). Secrets stay as they are.",
    ),
    "rollback_done": Text(
        "已退回版本 {version}（{prefix}），{smoke}。", "Back at version {version} ({prefix}), {smoke}."
    ),
    "destroy_about": Text(
        "将删除资源栈 {stack}：所有函数、触发器、角色、日志和死信队列。存储桶 {bucket} 连同其中的文件会保留。已经发送的批次会继续运行并计费；不想要的请先用 scripts/batchdrop cancel 取消。",
        "This deletes the stack {stack}: all functions, triggers, roles, logs and the dead-letter queue. The bucket {bucket} stays, with all files. Batches that were sent go on and are charged; cancel those that are not wanted first, with scripts/batchdrop cancel.",
    ),
    "destroy_about_bucket": Text(
        "将删除资源栈 {stack}，然后删除存储桶 {bucket} 和其中的所有文件，包括已经付费的结果。无法恢复。",
        "This deletes the stack {stack}, then the bucket {bucket} with all files in it, also results that were paid for. This cannot be undone.",
    ),
    "destroy_about_rest": Text(
        "没有资源栈 {stack}。将删除它留下的存储桶 {bucket} 和其中的所有文件，包括已经付费的结果。无法恢复。",
        "There is no stack {stack}. This deletes the bucket {bucket} that it left, with all files in it, also results that were paid for. This cannot be undone.",
    ),
    "destroy_not_begun": Text(
        "地域 {region} 没有资源栈 {stack}，存储桶 {bucket} 也不是中断的 destroy --erase-bucket 留下的，因此什么都没有删除。请检查 --stack 和 --region；确实不再需要的存储桶请在 OSS 控制台删除。",
        "There is no stack {stack} in {region}, and no destroy --erase-bucket was interrupted on the bucket {bucket}, so nothing was deleted. Check --stack and --region. A bucket that is really not needed any more is deleted in the OSS console.",
    ),
    "destroy_versioned": Text(
        "存储桶 {bucket} 开启过版本控制，历史版本不会随文件一起删除，因此什么都没有删除。请先在 OSS 控制台清除历史版本，或不加 --erase-bucket。",
        "The bucket {bucket} has, or had, versioning, and previous versions do not go with the files, so nothing was deleted. Clear them in the OSS console first, or leave --erase-bucket out.",
    ),
    "destroy_wrong_bucket": Text(
        "--erase-bucket 应写明存储桶的名字 {bucket}，而不是“{given}”。什么都没有删除。",
        'With --erase-bucket, name the bucket {bucket}, not "{given}". Nothing was deleted.',
    ),
    "destroy_done": Text(
        "资源栈 {stack} 已删除，存储桶 {bucket} 保留。",
        "The stack {stack} is gone; the bucket {bucket} is still there.",
    ),
    "destroy_done_bucket": Text(
        "资源栈 {stack} 和存储桶 {bucket} 已删除。", "The stack {stack} and the bucket {bucket} are gone."
    ),
    "destroy_failed": Text(
        "没有全部删除：{reason}。请改正后再次运行 destroy。",
        "Not all of it was deleted: {reason}. Fix that and run destroy again.",
    ),
    # What the doctor finds
    "doctor_fine": Text("可以部署。", "Ready to deploy."),
    "doctor_found": Text(
        "缺少 {count} 项。按各行的命令补齐后再试。",
        "Missing: {count}. Fix them by the lines above, then try again.",
    ),
    "doctor_key": Text("AccessKey 不可用：{reason}。", "The AccessKey cannot be used: {reason}."),
    "doctor_right": Text("没有权限 {right}。", "The right {right} is missing."),
    "doctor_conditional": Text(
        "权限 {right} 只在某些条件下有效，无法在这里判断；如果条件不满足，部署会在用到它时失败。",
        "The right {right} holds under a condition only, which cannot be judged here. Where it does not hold, deploying fails at that step.",
    ),
    "doctor_role": Text(
        "当前是扮演的 RAM 角色，没有逐项检查它的权限；这不影响部署，缺少权限时部署会说明。",
        "This is an assumed RAM role, whose rights are not checked one by one. Deploying works without it, and tells what is missing.",
    ),
    "doctor_unread": Text(
        "不能读取自己的权限（{reason}），所以没有逐项检查；这不影响部署。",
        "The caller's own policies cannot be read ({reason}), so rights were not checked one by one. Deploying works without it.",
    ),
    "doctor_ros": Text(
        "ROS 拒绝了这个模板或账号：{reason}。", "ROS rejected this template or account: {reason}."
    ),
    "doctor_closed": Text("{service} 还没有开通：{reason}。", "{service} is not open yet: {reason}."),
    "doctor_unasked": Text("无法询问 {service}：{reason}。", "{service} could not be asked: {reason}."),
    "doctor_bailian": Text(
        "百炼拒绝了 DASHSCOPE_API_KEY：{reason}。", "Bailian rejected DASHSCOPE_API_KEY: {reason}."
    ),
    "doctor_no_bailian": Text(
        "没有设置 DASHSCOPE_API_KEY；不用百炼时可以不管。",
        "DASHSCOPE_API_KEY is not set; fine if Bailian is not used.",
    ),
    "doctor_reading_role": Text(
        "InputFrom 为 oss，但账号中没有百炼读取 OSS 用的服务关联角色。",
        "InputFrom is oss, but the account does not have the service-linked role by which Bailian reads OSS.",
    ),
    "doctor_bucket_tag": Text(
        "InputFrom 为 oss，但已有的存储桶没有这个标签，百炼不能读取它（资源栈自己创建的存储桶，upgrade 会加上标签）。如果它还有别的标签，请在 OSS 控制台添加，因为下面的命令会替换全部标签。",
        "InputFrom is oss, but the bucket is there already and does not have this tag, so Bailian may not read it (upgrade gives it to a bucket that its stack made). If it has other tags, add this one in the OSS console: the command below replaces them all.",
    ),
    "doctor_page": Text(
        "没有设置 PageDomain：浏览器会下载函数默认域名上的页面，而不是显示它。只用命令行时可以不管。",
        "PageDomain is not set: browsers download what a function answers at its own address instead of showing it. Fine if only commands are used.",
    ),
    "doctor_python": Text(
        "没有 Python 3.10，函数冷启动会慢一倍。",
        "No Python 3.10 is here, so each cold start takes twice as long.",
    ),
}
