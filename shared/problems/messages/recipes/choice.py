"""What may be wrong with the choice of a provider, or with what was meant for another one."""

from __future__ import annotations

from shared.problems.messages.message import Message

CHOICE_MESSAGES: dict[str, Message] = {
    "provider_not_set_up": Message(
        "这里还没有设置{provider}（{found}），所以没有运行。请管理员设置 {variables}（本地云：启动时在 --providers 里写上它），然后重新上传这个文件；也可以在 batch.yaml 里用 provider 选择别的服务。",
        "{provider} ({found}) is not set up here, so nothing was run. The operator must set {variables} (in the local cloud: name it in --providers at the start); then upload the file again. Or let batch.yaml choose another provider.",
    ),
    "foreign_parameter": Message(
        "{provider}没有参数“{found}”，这是别的服务的写法。请改为 {write}。",
        '{provider} has no parameter "{found}"; that is what other providers call it. Write {write} instead.',
    ),
    "endpoint_as_model": Message(
        "“{found}”是推理接入点，不是模型：{provider}的批量推理任务要写模型本身。请改为模型名称，例如 {model}，或微调模型的编号（cm-…）。",
        '"{found}" is an inference endpoint, not a model; a batch job of {provider} names the model itself. Write its name, for example {model}, or the id of a fine-tuned model (cm-…).',
    ),
    "wrong_model_version": Message(
        "“{found}”不是{provider}的模型的写法。请写名称、“名称@版本”，或微调模型的编号（cm-…，后面没有版本），例如 {model}。",
        '"{found}" is not how {provider} names a model. Write its name, its name and version as name@version, or the id of a fine-tuned model (cm-…) without a version; for example {model}.',
    ),
    "model_unusable": Message(
        "“{found}”不能作为{provider}的模型名称：只能以字母、数字或 / 开头，由字母、数字和 _ . : @ + / - 组成，不能有空格和“..”。请改为模型服务所用的名称，例如 {model}。",
        '"{found}" cannot name a model of {provider}: a name begins with a letter, a digit or a slash, and has only these and _ . : @ + -, no blank and no "..". Write the name that the model server knows, for example {model}.',
    ),
    "window_rounded": Message(
        "{provider}只接受整天的期限，已改为 {window}（配方里是 {found}）。",
        "{provider} takes whole days only, so {found} became {window}.",
    ),
    "bare_lines": Message(
        "这些请求只有 custom_id 和 body，是{other}的写法。如果要发给{other}，请在旁边放一个 batch.yaml，写两行：{choose} 和 model: 模型名称，然后重新上传；如果要发给{provider}，请把每行改成 {example}。",
        "These requests have only custom_id and body, as {other} takes them. To send them there, put a batch.yaml beside the file that says {choose} and, on a line of its own, model: and its name; then upload the file again. To send them to {provider}, write each line as {example}.",
    ),
    "bare_lines_under_recipe": Message(
        "这些请求只有 custom_id 和 body，是{other}的写法，而 {recipe} 选择的是{provider}。如果要发给{other}，请在其中改写为 {choose} 和 model: 模型名称，并删除 prompt、parameters 等表格用的键（如果表格要用，请把请求文件和只写这两行的 batch.yaml 放到另一个文件夹），然后重新上传；如果要发给{provider}，请把每行改成 {example}。",
        "These requests have only custom_id and body, as {other} takes them, but {recipe} chooses {provider}. To send them to {other}, let it say {choose} instead and, on a line of its own, model: and the name of a model there, and remove what is for tables, such as prompt and parameters (if tables need it, put the requests and a batch.yaml of these two lines into a folder of their own); then upload the file again. To send them to {provider}, write each line as {example}.",
    ),
    "lines_without_recipe": Message(
        "{provider}的请求里不写模型，要由旁边的 batch.yaml 指定，而这里没有。请放一个 batch.yaml，写上 model: {model}（换成您要用的模型），然后重新上传这个文件。如果这些请求是发给{other}的，请写上 {choose}。",
        "Requests for {provider} do not name their model: a batch.yaml beside them does, and there is none. Put one there that says model: {model} (or the model that you want), then upload the file again. If the requests are meant for {other}, let it say {choose}.",
    ),
    "recipe_beside_lines": Message(
        "旁边是请求文件（.jsonl），它的每一行已经是完整的{provider}请求，这个键不起作用。请从这个 batch.yaml 里删除它；如果表格要用，请把请求文件和只写 provider、model 的 batch.yaml 放到另一个文件夹。",
        "The file beside it holds whole requests for {provider}, so this key would have no effect. Remove it; if tables need it, put the requests into a folder of their own, with a batch.yaml of provider and model.",
    ),
    "line_of_other_form": Message(
        "该行写了 {keys}，是{other}的写法：{provider}的请求只有 custom_id 和 body，模型写在 batch.yaml 里。请删除 {keys}；如果这些请求是发给{other}的，请在 batch.yaml 里写 {choose}。",
        "The line has {keys}, as {other} takes them. A request for {provider} is custom_id and body alone, and batch.yaml names the model. Remove {keys}; if the requests are meant for {other}, let batch.yaml say {choose}.",
    ),
    "unknown_line_key": Message(
        "{provider}的请求只有 custom_id 和 body，没有“{found}”。请删除；模型的参数写在 body 里。",
        'A request for {provider} is custom_id and body alone; there is no "{found}". Remove it; parameters of the model go into body.',
    ),
}
