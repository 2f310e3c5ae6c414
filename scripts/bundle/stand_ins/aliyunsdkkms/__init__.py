"""Stands in for aliyun-python-sdk-kms, which oss2 imports for keys kept in Alibaba Cloud's KMS."""
