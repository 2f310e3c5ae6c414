"""What web pages may do: CORS rules, and forms that are posted with a policy."""
