"""What is said of the bucket and of the cloud that has it."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    "interrupted": Text("已中断。", "Interrupted."),
    "goes_on": Text(
        "同一条命令可以再次执行，会接着做，不会重复计费。",
        "Run the same command again to go on; nothing is charged twice.",
    ),
    "perhaps_charged": Text(
        "到这时已经问过的行可能已经收费，没有保留任何答案。",
        "Rows that had been asked by then may be charged; no answer is kept.",
    ),
    "no_bucket": Text(
        "没有找到存储桶：没有设置 BUCKET_NAME，这个目录也没有正在运行的本地云。请在另一个终端用 scripts/batchdrop cloud 启动本地云后再试，或用 --data 指定已在运行的那一个的文件夹；如果文件在阿里云上，请设置环境变量 {variables}。",
        "No bucket found: BUCKET_NAME is not set, and no local cloud of this checkout is running. Start one in another terminal with scripts/batchdrop cloud and try again, or name the folder of one that runs with --data. For a bucket on Alibaba Cloud, set the environment variables {variables}.",
    ),
    "cloud_cannot_start": Text("本地云无法运行：", "The local cloud cannot run:"),
    "several_clouds": Text(
        "有多个本地云正在运行。请用 --data 指定其中一个的文件夹：{folders}。",
        "Several local clouds are running. Name the folder of one of them with --data: {folders}.",
    ),
    "no_cloud_there": Text(
        "文件夹 {folder} 没有正在运行的本地云。请先启动它。", "No local cloud is running on {folder}. Start it first."
    ),
    "missing_variables": Text(
        "已设置 BUCKET_NAME，但缺少环境变量 {variables}。请设置它们，或用 --data 使用本地云。",
        "BUCKET_NAME is set, but these variables are not: {variables}. Set them, or use a local cloud with --data.",
    ),
    "no_access": Text(
        "无法访问存储桶 {bucket}：{reason}。请检查桶名、地域、地址，以及密钥是否有权读写各个文件夹（inbox/、jobs/、work/、open/、ready/、running/、finished/、results/）。",
        "The bucket {bucket} cannot be accessed: {reason}. Check its name, region and endpoint, and that the key may read and write its folders (inbox/, jobs/, work/, open/, ready/, running/, finished/, results/).",
    ),
    "unreachable": Text(
        "暂时无法读写存储桶 {bucket}（{reason}）。请稍后再试。",
        "The bucket {bucket} cannot be read or written at the moment ({reason}). Try again later.",
    ),
    "bucket_versioned": Text(
        "存储桶 {bucket} 开启过版本控制：删除和抹除的内容仍会保留在历史版本中，同一行也可能重复计费。请换用从未开启过版本控制的存储桶，并用生命周期规则清理历史版本。",
        "The bucket {bucket} has, or had, versioning: what is deleted or erased stays in previous versions, and rows may be paid for twice. Use a bucket that never had it, and remove the previous versions with a lifecycle rule.",
    ),
}  # fmt: skip
