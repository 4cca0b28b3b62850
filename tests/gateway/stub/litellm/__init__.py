"""What templates/gateway needs of LiteLLM, and nothing else: the supervisor is tested, not the router."""
