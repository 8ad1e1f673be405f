from . import clinics, members, records, users

__all__ = ["clinics", "members", "records", "users"]
