from . import api_tokens, clinics, members, records, users

__all__ = ["api_tokens", "clinics", "members", "records", "users"]
