from . import api_tokens, clinics, members, messages, records, users

__all__ = ["api_tokens", "clinics", "members", "messages", "records", "users"]
