"""Stands in for KMS's requests, of which none can be made without a client."""

GenerateDataKeyRequest = None
DecryptRequest = None
EncryptRequest = None
