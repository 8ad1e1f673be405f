from patients.admin import api_tokens, authenticators, clinics, members, messages, records, users

__all__ = ["api_tokens", "authenticators", "clinics", "members", "messages", "records", "users"]
