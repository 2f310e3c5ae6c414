"""What a ticket waits for. The work goes on by itself, so each says only who must do what."""

from __future__ import annotations

from shared.problems.messages.message import Message

PROVIDER_MESSAGES: dict[str, Message] = {
    "account_without_money": Message(
        "{provider}拒绝了请求：账户欠费，或尚未开通、购买该服务。请管理员在{account_console}充值或开通，之后任务会自动继续，无需重新上传。{provider}的答复：{said}。",
        "{provider} rejected the request: the account is in arrears, or the service is not activated. The operator must pay or activate it in {account_console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "model_not_open": Message(
        "{provider}拒绝了请求：API Key 所在的业务空间没有调用该模型的权限。请管理员在{console}开通或授权该模型，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the workspace of the API key may not call this model. The operator must enable the model for it in {console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "api_key_refused": Message(
        "{provider}拒绝了 API Key。请管理员把 {key_variable} 改为有效的、与 {address_variable} 同一地域的密钥，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the API key. The operator must set {key_variable} to a valid key of the region of {address_variable}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "wrong_base_url": Message(
        "该地址没有这项服务。请管理员改正 {address_variable}，之后任务会自动继续。对方的答复：{said}。",
        "There is no such service at this address. The operator must correct {address_variable}; the job then continues by itself. The reply: {said}.",
    ),
    "file_store_full": Message(
        "{provider}的文件空间已满（最多 {file_limit}）。请管理员在{provider}删除不再需要的文件，有空间后任务会自动继续。{provider}的答复：{said}。",
        "{provider}'s file store is full ({file_limit}). The operator must delete files there that are no longer needed; with enough room the job continues by itself. {provider}'s reply: {said}.",
    ),
    "permission_missing": Message(
        "{provider}拒绝了请求：该 API Key 没有此操作的权限。请管理员在{console}授权，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the API key has no permission for it. The operator must grant it in {console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "access_key_refused": Message(
        "{provider}拒绝了访问密钥。请管理员检查 {key_variable} 以及与它配对的密钥：两者须匹配、有效且未被停用；改正后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the access key. The operator must check {key_variable} and its secret: they must belong together and be active; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "access_key_without_permission": Message(
        "{provider}拒绝了请求：{key_variable} 的访问密钥没有此操作的权限。请管理员在{account_console}的访问控制中授权，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the access key of {key_variable} has no permission for it. The operator must grant it under access control in {account_console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "model_not_activated": Message(
        "{provider}拒绝了请求：该账号尚未开通此模型。请管理员在{console}开通，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: this model is not activated for the account. The operator must activate it in {console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "staging_not_readable": Message(
        "{provider}无法读写存放请求和结果的存储桶（{bucket_variable}）。请管理员在{console}完成跨服务授权，并确认存储桶属于同一账号、位于同一地域，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} cannot read and write the bucket with the requests and the results ({bucket_variable}). The operator must authorise it in {console}, and the bucket must be of the same account and region; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "bucket_missing": Message(
        "存放请求和结果的存储桶不存在。请管理员检查桶名 {bucket_variable}，以及 {bucket_address_variable} 和 {region_variable} 是否与桶在同一地域；如果桶已被删除，请重新创建。之后任务会自动继续。对方的答复：{said}。",
        "The bucket for the requests and the results does not exist. The operator must correct {bucket_variable}, or {bucket_address_variable} and {region_variable}, which must be those of the bucket's region, or create the bucket again; the job then continues by itself. The reply: {said}.",
    ),
    "bucket_forbidden": Message(
        "访问密钥无权使用存放请求和结果的存储桶。请管理员在{account_console}的访问控制中给密钥所属的用户授权，并确认 {bucket_variable} 是同一账号的桶，之后任务会自动继续。对方的答复：{said}。",
        "The access key may not use the bucket for the requests and the results. The operator must grant it under access control in {account_console}, and {bucket_variable} must be a bucket of the same account; the job then continues by itself. The reply: {said}.",
    ),
    "bucket_versioned": Message(
        "存放请求和结果的存储桶开启过版本控制，不能使用：同一行可能重复付费，已抹除的数据也会留在旧版本里。请管理员把 {bucket_variable} 改为从未开启版本控制的桶，之后任务会自动继续。详情：{said}。",
        "The bucket for the requests and the results has, or had, versioning, so it cannot be used. The operator must set {bucket_variable} to one that never had it; the job then continues by itself. Details: {said}.",
    ),
    "bucket_unusable": Message(
        "存放请求和结果的存储桶无法使用。请管理员检查 {bucket_variable}、{bucket_address_variable} 和 {region_variable}，改正后任务会自动继续。详情：{said}。",
        "The bucket for the requests and the results cannot be used. The operator must check {bucket_variable}, {bucket_address_variable} and {region_variable}; the job then continues by itself. Details: {said}.",
    ),
    "oss_not_readable": Message(
        "{provider}无法从存储桶读取请求文件。请管理员确认：账号中有服务关联角色 {reading_role}，存储桶带有标签 {bucket_tag}，且两者属于同一账号；也可以把 {input_variable} 改回 upload。之后任务会自动继续，无需重新上传。{provider}的答复：{said}。",
        "{provider} cannot read the requests from the bucket. The operator must make sure that the account has the service-linked role {reading_role}, that the bucket has the tag {bucket_tag}, and that both are of the same account, or set {input_variable} back to upload; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "clock_wrong": Message(
        "{provider}拒绝了请求：这台机器的时间与标准时间相差太多。请管理员校准系统时间，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the clock of this machine is wrong. The operator must set it right; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "project_refused": Message(
        "{provider}不接受所设的项目或地域。请管理员改正 {project_variable} 或 {region_variable}，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} does not accept the project or the region that is set. The operator must correct {project_variable} or {region_variable}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "job_quota_used_up": Message(
        "{provider}暂不接受更多批量任务：近几天内创建任务的额度已用完。额度恢复后任务会自动继续，无需重新上传；如需更快，请管理员在{console}申请提高额度。{provider}的答复：{said}。",
        "{provider} takes no more batch jobs for now: the quota of jobs created in the last days is used up. The job continues by itself when there is room; to have it sooner, the operator can ask for a higher quota in {console}. {provider}'s reply: {said}.",
    ),
    "api_withdrawn": Message(
        "{provider}已不提供所设的任务接口。请管理员把 {api_variable} 从 batch 改为 training（或相反），之后任务会自动继续，无需重新上传。{provider}的答复：{said}。",
        "{provider} no longer offers the API of tasks that is set. The operator must set {api_variable} to training instead of batch (or the reverse); the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "task_settings_refused": Message(
        "{provider}不接受所设的镜像、资源或地域。请管理员改正 {image_variable}、{resource_variable} 或 {region_variable}，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} does not accept the image, the resource or the region that is set. The operator must correct {image_variable}, {resource_variable} or {region_variable}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "resources_sold_out": Message(
        "{provider}目前没有所设的空闲资源。有资源后任务会自动继续，无需重新上传；如需更快，请管理员换一种 {resource_variable}，或在{console}申请提高配额。{provider}的答复：{said}。",
        "{provider} has no free resources of the kind that is set. The job continues by itself when there are; to have it sooner, the operator can set another {resource_variable}, or ask for a higher quota in {console}. {provider}'s reply: {said}.",
    ),
    "upstream_unavailable": Message(
        "回答请求的上游模型服务没有响应。请启动或修复它，之后任务会自动继续；已有的答案会保留，无需重新上传。详情：{said}。",
        "The upstream model server that answers the rows does not respond. Start or mend it; the job then continues by itself and keeps the answers it has. What happened: {said}.",
    ),
    "upstream_refuses_key": Message(
        "上游模型服务拒绝了 API Key 或账户。请检查密钥、余额和权限；如需更换密钥，请设置环境变量 UPSTREAM_API_KEY 并重新启动本地云，之后任务会自动继续。详情：{said}。",
        "The upstream model server rejected the API key or the account. Check key, balance and permissions; for another key, set UPSTREAM_API_KEY and start the local cloud again. The job then continues by itself. What happened: {said}.",
    ),
    "later_version": Message(
        "该任务由更新版本的 Batchdrop 处理过，当前版本无法继续。请管理员重新部署更新的版本，之后任务会自动继续，无需重新上传。原因：{said}。",
        "A later version of Batchdrop has worked on this job, and this version cannot go on with it. The operator must deploy the later version again; the job then continues by itself. The reason: {said}.",
    ),
    "provider_missing": Message(
        "处理该任务的服务（{said}）在这里没有设置，因此暂停。请管理员重新设置它（本地云：启动时在 --providers 里写上它），之后任务会自动继续，无需重新上传；已有的批次不会重新付费。",
        "The provider that this job was planned for ({said}) is not set up here, so the job waits. The operator must set it up again (in the local cloud: name it in --providers at the start); the job then continues by itself, and nothing is paid twice.",
    ),
    "provider_refuses": Message(
        "模型服务拒绝了请求。请管理员检查账户、密钥和设置，问题解决后任务会自动继续。原因：{said}。",
        "The provider rejected the request. The operator must check the account, the key and the settings; the job then continues by itself. The reason: {said}.",
    ),
}
