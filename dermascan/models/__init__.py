from .contact_message import ContactMessage
from .worker_heartbeat import WorkerHeartbeat

__all__ = ["ContactMessage", "WorkerHeartbeat"]
