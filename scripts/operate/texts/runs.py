"""What is said while a table is answered."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    "installing_model": Text(
        "正在安装语言模型及其服务（221 MB，仅首次）…",
        "Installing the language model and its server (221 MB, once) …",
    ),
    "starting_model": Text(
        "正在启动模型（SmolLM2-135M-Instruct）…", "Starting the language model (SmolLM2-135M-Instruct) …"
    ),
    "model_not_started": Text("模型服务没有安装或启动：{reason}。", "The language model's server was not installed or did not start: {reason}."),
    "starting_demo": Text("正在启动本地云 …", "Starting the local cloud …"),
    "demo_dropped": Text("已放入 {files} 个文件：{folder}。", "Dropped {files} file(s) into {folder}."),
    "demo_too_slow": Text("没有按时完成，请看日志：{folder}。", "Not finished in time. See the logs in {folder}."),
    "demo_made_up": Text(
        "以上是根据每行内容编造的测试答案；真实的答案：scripts/batchdrop demo --real-model。",
        "These are test answers, made from each row's text. Real ones: scripts/batchdrop demo --real-model.",
    ),
    "demo_done": Text(
        "用时 {seconds} 秒，正在停止所有进程。", "Done in {seconds} s; everything that was started is being stopped."
    ),
    "starting_cloud": Text(
        "没有正在运行的本地云，现在启动一个，结束后会停止（数据在 {folder}）。",
        "No local cloud is running, so one is started and stopped at the end (its data is in {folder}).",
    ),
    "answered_otherwise": Text(
        "文件夹 {folder} 之前由 {before} 回答，与这次的选项不同，因此没有启动，也没有放入文件。请加上与之前相同的选项（--real、--upstream、--upstream-model，或先用 scripts/batchdrop cloud 启动），或用 --data 换一个文件夹。",
        "The folder {folder} was answered by {before}, which is not what is asked for now, so nothing was started or dropped. Give the same options as before (--real, --upstream, --upstream-model, or start scripts/batchdrop cloud first), or take another folder with --data.",
    ),
    "answerer_is_running": Text(
        "存储桶 {bucket} 已经在使用中，由谁回答在启动时就已确定。请去掉 --real、--upstream 和 --upstream-model，或用 --data 另选一个文件夹。",
        "The bucket {bucket} is in use already, and who answers was chosen when that started. Leave --real, --upstream and --upstream-model out, or take another folder with --data.",
    ),
    "run_refused": Text("{file} 被退回，没有发送，也没有产生费用。改好后再执行同一条命令即可，不用自己上传。报告如下：",
        "{file} was refused; nothing was sent or charged. Correct it and run the same command again, which uploads it. This is the report:"),
    "run_drops_into": Text("放入 {bucket}。", "The table goes into {bucket}."),
    "run_other_recipe": Text(
        "{file} 旁边没有 batch.yaml，而存储桶里的 {recipe} 会对它生效，因此没有放入。请用 scripts/batchdrop init 写一个配方，或用 --recipe 指定。",
        "There is no batch.yaml beside {file}, and {recipe} in the bucket would be used for it, so it was not dropped. Write a recipe with scripts/batchdrop init, or name one with --recipe.",
    ),
    "run_replaced": Text(
        "存储桶里的 {key} 在得到处理之前被替换或删除了：可能有人在另一台机器上用同一个路径执行了 run。请给表格换个名字，再执行一次。",
        "{key} in the bucket was replaced or removed before it was answered: perhaps run was called on another machine with a table of the same path. Give the table another name, and run it again.",
    ),
    "run_not_validated": Text(
        "{file} 已放入存储桶，但一直没有检查完。大文件需要几分钟；如果始终没有变化，说明这个存储桶没有部署 Batchdrop，或者触发器已停用。仍在等待，可以用 Ctrl-C 停止。",
        "{file} is in the bucket, and has not been validated yet. A large one takes minutes; if nothing ever happens, Batchdrop is not deployed on this bucket, or its trigger is off. Still waiting; Ctrl-C stops it.",
    ),
    "run_not_reached": Text(
        "暂时看不到 {file} 的进展（{reason}）。任务不受影响，连接恢复后会继续显示。",
        "How far {file} is cannot be seen at the moment ({reason}). The job goes on, and is shown again once the bucket can be reached.",
    ),
    "run_interrupted": Text(
        "本地云暂时无法继续（{reason}）。请检查磁盘空间和权限，恢复后会自动继续；现在没有任何进展。",
        "The local cloud cannot go on ({reason}), so nothing happens at the moment. Check disk space and permissions; it then goes on by itself.",
    ),
    "run_done": Text(
        "{rows} 行：{counts}；用量 {tokens} tokens。结果：",
        "{rows} rows: {counts}; {tokens} tokens. The result:",
    ),
    "run_cost": Text("费用：{cost}。", "Cost: {cost}."),
    "run_saved": Text("结果已另存为 {path}。", "The result is saved as {path}, too."),
    "run_saved_other": Text(
        "注意：{path} 的内容是 {format} 格式，与文件名的后缀不符，有些程序会打不开。请改名为 {suffix}，或在 batch.yaml 里用 output: {{format: …}} 选择所要的格式。",
        "Note that {path} holds {format}, whatever its name says; some programs will refuse it. Rename it to {suffix}, or choose the format with output: {{format: …}} in batch.yaml.",
    ),
    "out_is_a_folder": Text(
        "--out 是文件夹：{path}。请加上文件名。尚未发送任何内容。",
        "--out is a folder: {path}. Add the name of a file. Nothing has been sent.",
    ),
    "out_without_folder": Text(
        "无法把结果保存为 {path}：文件夹 {folder} 不存在或不能写入。尚未发送任何内容。",
        "The result cannot be saved as {path}: the folder {folder} is not there, or cannot be written to. Nothing has been sent.",
    ),
    "run_has_open_rows": Text(
        "有些行没有答案，原因在结果的 error_code 列。重新发送这些行：scripts/batchdrop retry {job}。",
        "Some rows have no answer; the column error_code says why. To send them again: scripts/batchdrop retry {job}.",
    ),
}  # fmt: skip
