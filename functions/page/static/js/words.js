// What the page says: a key, then Chinese and English. {name} is put in; {n|row|rows} goes by n.

const WORDS = {
  raw: ["{raw}", "{raw}"],
  "page.title": ["Batchdrop", "Batchdrop"],
  "page.folder": ["文件夹", "Folder"],
  "page.folder.all": ["全部文件夹", "All folders"],
  "page.until": ["链接有效期至{when}", "Link valid until {when}"],
  "page.local": ["本机", "This machine"],
  "by.test": ["新放入的表格只得到编造的测试答案", "New tables get made-up test answers"],
  "by.test.some": ["{name} 现在只给编造的测试答案", "{name} gives made-up test answers now"],
  "by.server": ["现在由 {name} 回答", "Now answered by {name}"],
  "page.operator": ["管理员", "Operator"],

  "door.title": ["打不开这个链接", "This link does not open"],
  "door.again": ["再试一次", "Try again"],

  "drop.title": ["把表格拖到这里", "Drop a table here"],
  "drop.title.touch": ["选择一个表格", "Choose a table"],
  "drop.choose": ["选择文件", "Choose files"],
  "drop.kinds": [
    "Excel（.xlsx）、CSV、Parquet 或请求行（.jsonl），每个不超过 {max}",
    "Excel (.xlsx), CSV, Parquet or request lines (.jsonl), up to {max} each",
  ],
  "drop.promise": [
    "每一行都会带着答案回来。在您点击“开始”之前，什么也不会发送。",
    "Every row comes back with its answer. Nothing is sent before you press Start.",
  ],
  "drop.too_large": ["{name}：{size}，超过上限 {max}。", "{name}: {size}, more than the {max} allowed."],
  "drop.folder": ["{name}：请放入文件，不是文件夹。", "{name}: drop files, not a folder."],
  "drop.busy": [
    "请先开始或关闭正在准备的文件。",
    "First start the file that you are preparing, or close it.",
  ],
  "drop.empty": ["{name}：文件是空的。", "{name}: the file is empty."],

  "new.title": ["新任务", "New job"],
  "new.more": ["另有 {n} 个文件，用同样的配方", "and {n} more {n|file|files} with the same recipe"],
  "new.close": ["换一个文件", "Another file"],
  "new.rows": ["表格的前几行", "First rows of the table"],
  "new.reading": ["正在读取表格…", "Reading the table …"],
  "new.unread": [
    "这种文件不能在这里预览，放入后会完整检查。",
    "Files of this kind cannot be shown here. They are checked in full once dropped.",
  ],
  "new.wrong": ["这个表格还不能用", "This table needs a change first"],
  "new.lines": [
    "请求行自己写明了要问什么，不需要配方。",
    "Request lines say for themselves what to ask. They need no recipe.",
  ],
  "new.ask": ["要对每一行做什么？", "What should be done with each row?"],
  "new.start": ["开始", "Start"],
  "new.start.test": [
    "文件放进本机的收件夹，检查无误后整批回答。答案是编造的，不收费。",
    "The file goes into this machine's inbox, is checked, and is answered as a batch. The answers are made up and free.",
  ],
  "new.start.server": [
    "文件放进本机的收件夹，检查无误后由 {name} 整批回答。",
    "The file goes into this machine's inbox, is checked, and is answered as a batch by {name}.",
  ],
  "new.start.hint": [
    "文件直接上传到存储空间，检查无误后整批发送，按批量价计费。",
    "The file goes straight into the bucket, is checked, and is sent as a batch, at the batch price.",
  ],
  "new.failed": ["没有读到", "Could not be read"],
  "new.changed": [
    "有人在这期间改了文件夹的配方，这个文件没有上传。请重新选择文件，看看新的配方。",
    "Somebody has changed the folder's recipe meanwhile, so this file was not uploaded. Choose it again to see the new one.",
  ],
  "new.unchecked": [
    "{name} 一直没有检查完。它要按原来的配方读取，所以这个文件还没有上传。请稍后再试，或联系管理员。",
    "{name} has not been checked for a long time. It is read with the recipe of before, so this file was not uploaded. Try again later, or ask the operator.",
  ],
  "new.sent": ["{name} 已放入。", "{name} has been dropped."],

  "task.folder": ["用文件夹里的配方", "The folder's recipe"],
  "task.classify": ["分类", "Classify"],
  "task.extract": ["提取信息", "Extract"],
  "task.translate": ["翻译", "Translate"],
  "task.prompt": ["自己写提示词", "Own prompt"],
  "task.text": ["编辑 batch.yaml", "Edit batch.yaml"],

  "form.model": ["模型", "Model"],
  "form.column": ["看哪一列", "Column to read"],
  "form.labels": ["类别，用逗号隔开", "Labels, separated by commas"],
  "form.labels.default": ["好评, 中评, 差评", "positive, neutral, negative"],
  "form.fields": ["要提取的内容，每行一项：名称: 说明", "What to extract, one a line: name: what it is"],
  "form.fields.default": [
    "商品: 提到的商品名称\n情绪: [高兴, 生气, 平静]",
    "product: the product named\nmood: [happy, angry, calm]",
  ],
  "form.fields.hint": [
    "说明可以是类型（数字、整数、是否、列表），也可以是方括号里的几个选项。",
    "What it is may be a type (number, integer, boolean, list) or choices in square brackets.",
  ],
  "form.to": ["翻译成", "Translate into"],
  "form.to.default": ["英文", "Chinese"],
  "form.prompt": ["提示词", "Prompt"],
  "form.prompt.default": [
    "用一句话概括下面的内容。\n\n{column}",
    "Sum up the following in one sentence.\n\n{column}",
  ],
  "form.insert": ["插入一列", "Insert a column"],
  "form.recipe": ["batch.yaml 的内容", "Text of batch.yaml"],
  "form.from": ["来自 {path}", "From {path}"],
  "form.saved.all": [
    "开始时会存为最上层的 batch.yaml，没有自己配方的文件夹都会用它。",
    "Start saves this as the topmost batch.yaml. All folders without a recipe of their own use it.",
  ],
  "form.replaced": [
    "开始时会代替这个文件夹现有的 batch.yaml，以后放入的文件也会用它。",
    "Start puts this in place of the folder's batch.yaml. Files dropped later use it, too.",
  ],
  "form.saved": [
    "开始时会存为这个文件夹的 batch.yaml，以后放入的文件也会用它。",
    "Start saves this as the folder's batch.yaml. Files dropped later use it, too.",
  ],

  "ask.title": ["第 1 行会这样问", "What is asked for row 1"],
  "ask.wait": [
    "选好要做什么，这里就会显示第 1 行的提示词。",
    "The prompt of row 1 shows here as you choose.",
  ],
  "ask.problems": ["配方要改一改", "The recipe needs a change"],
  "ask.preview": ["先试 {n} 行", "Try {n} {n|row|rows}"],
  "ask.preview.busy": ["正在提问…", "Asking …"],
  "ask.preview.test": ["答案是编造的，不是模型的回答。", "The answers are made up. No model writes them."],
  "ask.preview.server": ["由 {name} 立即回答。", "Answered at once by {name}."],
  "ask.preview.title.test": ["前 {n} 行的测试答案（编造的）", "Test answers of the first {n} {n|row|rows} (made up)"],
  "ask.preview.hint": ["立即回答，按实时价计费。", "Answered at once, at the real-time price."],
  "ask.preview.title": ["前 {n} 行的答案，{model}", "Answers of the first {n} {n|row|rows}, {model}"],
  "ask.preview.old": ["配方在这之后改过。", "The recipe has changed since."],
  "ask.answer": ["答案", "Answer"],
  "ask.row": ["第 {n} 行", "Row {n}"],

  "jobs.title": ["任务", "Jobs"],
  "jobs.none": ["还没有任务。放入的文件会显示在这里。", "No jobs yet. Files that you drop show up here."],
  "jobs.range": ["第 {from}–{to} 个，共 {total} 个", "{from}–{to} of {total}"],
  "jobs.range.more": ["第 {from}–{to} 个，只列出 {total} 个", "{from}–{to} of the {total} listed"],
  "jobs.more": [
    "这个文件夹里的文件太多，只列出了名称排在前面的 {total} 个和未完成的任务。请把旧文件移到别处，或改用子文件夹。",
    "This folder holds too many files. Only the first {total} by name are listed, and all open jobs. Move old files elsewhere, or use folders.",
  ],
  "jobs.needs": ["需要您处理", "Needs your attention"],
  "jobs.newer": ["较新的", "Newer"],
  "jobs.older": ["较早的", "Older"],
  "jobs.stale": ["暂时无法更新：{why}", "Not up to date: {why}"],
  "jobs.queued": ["排队中", "Queued"],
  "jobs.uploading": ["正在上传", "Uploading"],
  "jobs.dismiss": ["关闭", "Dismiss"],
  "jobs.upload.failed": ["上传失败", "Not uploaded"],
  "jobs.upload.again": ["再传一次", "Upload again"],

  "state.checking": ["正在检查", "Checking"],
  "state.refused": ["已退回", "Refused"],
  "state.waiting": ["等待中", "Waiting"],
  "state.approval": ["等待批准", "Waits for approval"],
  "state.over_ceiling": ["超出预算，等待中", "Over the budget"],
  "state.sending": ["正在发送", "Sending"],
  "state.running": ["正在回答", "Answering"],
  "state.collecting": ["正在整理结果", "Collecting"],
  "state.cancelling": ["正在取消", "Cancelling"],
  "state.done": ["已完成", "Done"],
  "state.incomplete": ["部分行没有答案", "Some rows unanswered"],
  "state.cancelled": ["已取消", "Cancelled"],

  "job.answered": ["已回答 {answered} / {rows} 行", "{answered} of {rows} rows answered"],
  "job.all": ["{n} 行都已回答", "all {n} {n|row|rows} answered"],
  "job.rows": ["{n} 行", "{n} {n|row|rows}"],
  "job.misfits": ["{n} 行的答案不合要求", "{n} {n|answer does|answers do} not fit"],
  "job.failed": ["{failed} 行出错", "{failed} failed"],
  "job.unanswered.all": ["{n} 行都没有答案", "none of {n} {n|row|rows} answered"],
  "job.unanswered": ["{rows} 行中有 {n} 行没有答案", "{n} of {rows} rows without an answer"],
  "job.since": ["{when} 开始", "since {when}"],
  "job.ended": ["{when} 结束", "ended {when}"],
  "job.dropped": ["{when} 放入", "dropped {when}"],
  "job.usual": ["这里通常 {typical}", "usually {typical} here"],
  "job.latest": ["这一批最迟{when}", "this batch ends by {when}"],
  "job.usual.latest": [
    "这里通常 {typical}，这一批最迟{when}",
    "usually {typical} here, this batch ends by {when}",
  ],
  "job.usual.title": ["通常多久", "Usual time"],
  "job.history": [
    "最近 {jobs} 个同样的任务：一半不到 {typical}，九成不到 {slow}",
    "The last {jobs} {jobs|job|jobs} like it: half took up to {typical}, nine in ten up to {slow}",
  ],
  "job.show.refused": ["查看原因", "See why"],
  "job.show.results": ["看前几行", "First rows"],
  "job.approve": ["查看报价并批准", "See the quote and approve"],
  "job.approve.until": [
    "批准之前不再发送；最晚{when}",
    "Nothing more is sent before somebody approves the quote, by {when}",
  ],
  "job.approve.said": ["“{name}”已批准，正在发送。", "“{name}” is approved and on its way."],
  "budget.all": ["本月预算，全部文件", "This month's budget, all files"],
  "budget.folder": ["本月预算，文件夹 {folder}", "This month's budget, folder {folder}"],
  "budget.amounts": [
    "最多 {at_most}，已花 {spent}，预留 {reserved}，还剩 {free}",
    "at most {at_most}: {spent} spent, {reserved} reserved, {free} free",
  ],
  "job.download": ["下载结果", "Download"],
  "job.cancel": ["取消", "Cancel"],
  "job.retry": ["重新发送未回答的行", "Send open rows again"],
  "job.cancel.said": ["正在取消“{name}”。", "“{name}” is being cancelled."],
  "job.retry.said": [
    "“{name}”的 {n} 行正在重新发送。",
    "{n} {n|row|rows} of “{name}” {n|is|are} sent again.",
  ],
  "job.retry.waits": [
    "“{name}”的 {n} 行要先批准报价才发送。",
    "{n} {n|row|rows} of “{name}” {n|is|are} sent once the quote is approved.",
  ],
  "job.results": ["结果的前几行", "First rows of the result"],
  "job.refused": ["为什么退回", "Why it was refused"],
  "job.refused.free": [
    "什么也没有发送，没有产生费用。改好后重新放入即可。",
    "Nothing was sent and nothing is charged. Correct it and drop it again.",
  ],
  "job.refused.more": [
    "另有 {n} 个问题，见完整报告。",
    "{n} more {n|problem|problems}, see the full report.",
  ],
  "job.report": ["下载完整报告", "Download the full report"],
  "job.line": ["第 {n} 行的内容", "What line {n} holds"],
  "job.waits.since": ["从{when} 起", "since {when}"],
  "job.loading": ["正在读取…", "Loading …"],
  "job.model": ["模型", "Model"],
  "job.quote": ["预计费用", "Expected cost"],
  "job.sample": ["样本", "Sample"],
  "job.id": ["任务编号", "Job"],
  "job.counts": ["各行状态", "Rows"],
  "job.cost": ["费用", "Cost"],
  "job.ceiling": ["费用上限", "Ceiling"],
  "job.cost.is": [
    "{cost}（按报价时的价格），实时调用 {realTime}",
    "{cost} at the quoted price, {realTime} in real time",
  ],

  "row.answered": ["已回答", "answered"],
  "row.refused": ["被拒绝", "refused"],
  "row.expired": ["已过期", "expired"],
  "row.missing": ["无结果", "missing"],
  "row.cancelled": ["已取消", "cancelled"],

  "approve.title": ["批准“{name}”的报价？", "Approve the quote of “{name}”?"],
  "approve.text": [
    "批准后就会发送并产生费用。之后可以取消，已经回答的行仍要付费。",
    "Once approved, the rows are sent and charged. You can cancel later; rows answered by then are still charged.",
  ],
  "approve.why": ["为什么要批准", "Why it needs approval"],
  "approve.until": ["最晚", "Until"],
  "approve.keep": ["先不批准", "Not now"],
  "approve.do": ["批准并发送", "Approve and send"],

  "cancel.title": ["取消“{name}”？", "Cancel “{name}”?"],
  "cancel.text": [
    "已经回答的行会保留，因为已经付费。其余的行不再发送，之后可以重新发送。",
    "Rows that are answered by now are kept, since they are paid for. The others can be sent again later.",
  ],
  "cancel.keep": ["继续运行", "Keep it running"],
  "cancel.do": ["取消任务", "Cancel the job"],

  "operator.title": ["运行情况", "Operations"],
  "operator.waits": ["因账号、密钥或额度在等待", "Waiting for an account, a key or money"],
  "operator.jobs": ["{n} 个任务", "{n} {n|job|jobs}"],
  "operator.none": ["没有", "none"],
  "operator.repairs": ["24 小时内自动修复", "Repaired automatically in 24 hours"],
  "operator.repairs.hint": [
    "丢失或过慢的通知由定时器补上，不丢数据，也不会重复计费，无需处理。次数一直很多时，请看日志。",
    "The timer stands in for notifications that were lost or late. No data is lost, nothing is paid for twice, and no action is needed. If the numbers stay high for days, check the log.",
  ],
  "repair.slots": ["释放的并发名额 {n}", "slots freed: {n}"],
  "repair.finished": ["收取结果 {n}", "results collected: {n}"],
  "repair.ready": ["恢复发送 {n}", "submissions resumed: {n}"],
  "repair.running": ["发现批次已结束 {n}", "batches found ended: {n}"],
  "repair.open": ["恢复停住的任务 {n}", "jobs resumed: {n}"],
  "repair.approve": ["移除的批准标记 {n}", "marks of approvals removed: {n}"],
  "repair.again": ["再次检查文件 {n}", "files checked again: {n}"],
  "repair.inbox": ["找到漏掉的文件 {n}", "missed files found: {n}"],
  "repair.files": ["清理的旧文件 {n}", "old files removed: {n}"],
  "repair.other": ["{kind} {n}", "{kind}: {n}"],
  "operator.untold": ["没能送出的通知", "Notifications given up"],
  "operator.dead": ["死信（没能处理的事件）", "Dead letters (events given up)"],
  "operator.dead.queue": ["数量不在这里显示，请看队列 {queue}：", "Not counted here. See the queue {queue}: "],
  "operator.dead.look": ["打开消息队列控制台", "open the queue console"],
  "operator.functions": ["函数", "Functions"],
  "operator.unknown": ["这里看不到", "not available here"],
  "operator.repairs.none": ["没有", "none"],
  "operator.name": ["函数", "Function"],
  "operator.succeeded": ["成功", "Succeeded"],
  "operator.failed": ["失败", "Failed"],
  "operator.dead_lettered": ["死信", "Dead letters"],
  "operator.queued": ["排队", "Queued"],
  "operator.running": ["运行中", "Running"],
  "operator.log": ["日志", "Log"],

  "span.seconds": ["{n} 秒", "{n} {n|second|seconds}"],
  "span.minutes": ["{n} 分钟", "{n} {n|minute|minutes}"],
  "span.hours": ["{n} 小时", "{n} {n|hour|hours}"],
  "span.days": ["{n} 天", "{n} {n|day|days}"],

  "error.unreachable": ["连接不上，请检查网络。", "No connection. Check your network."],
  "error.server": ["服务器出错（{status}），请稍后再试。", "The server failed ({status}). Try again later."],
  "error.upload": ["存储空间没有接受这个文件（{status}）。", "The bucket did not take the file ({status})."],
  "error.cut": [
    "上传中断，请检查网络后再传一次。",
    "The upload was cut off. Check your network, then upload again.",
  ],
};

/** "zh" or "en": the first of the browser's languages that is one of them. */
export const LANGUAGE =
  navigator.languages
    .map((tag) => tag.slice(0, 2).toLowerCase())
    .find((tag) => tag === "zh" || tag === "en") ?? "en";

const NUMBER = new Intl.NumberFormat(LANGUAGE === "zh" ? "zh-CN" : "en-GB");

export function say(key, values = {}) {
  const words = WORDS[key] ?? WORDS.raw; // a state of a later version keeps its raw word
  const all = { raw: key.split(".").pop(), ...values };
  return words[LANGUAGE === "zh" ? 0 : 1].replace(
    /\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g,
    (_, name, one, many, offset) => {
      const value = all[name];
      if (many !== undefined) return value === 1 ? one : many;
      // Between hanzi and a digit stands a space, between hanzi and hanzi (明天) none.
      if (name === "when" && LANGUAGE === "zh" && offset > 0 && /^\d/.test(value)) return ` ${value}`;
      return typeof value === "number" ? NUMBER.format(value) : value;
    },
  );
}

/** The server's words for something, in the reader's language. */
export function said(value) {
  return value[LANGUAGE] ?? value.en ?? "";
}

export { WORDS };
