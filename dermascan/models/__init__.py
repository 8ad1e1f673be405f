from .contact_message import ContactMessage

__all__ = ["ContactMessage"]
