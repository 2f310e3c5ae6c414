"""Values for what ``template.yaml`` wants to be given."""

from __future__ import annotations

PARAMETERS: dict[str, object] = {
    "BucketName": "drop",
    "CodeBucket": "code",
    "DashScopeApiKey": "sk-secret",
    "CallbackSecret": "s" * 32,
    "RocketMQInstanceId": "rmq-cn-1",
}
ATTRIBUTES = {
    ("CallbackTrigger", "UrlInternet"): "https://callback.example",
    ("PageTrigger", "UrlInternet"): "https://page.example",
}
