"""The object store on Alibaba Cloud OSS."""
