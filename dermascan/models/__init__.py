from dermascan.core.submission import Submission
from dermascan.models.contact_message import ContactMessage
from dermascan.models.worker_heartbeat import WorkerHeartbeat

__all__ = ["ContactMessage", "Submission", "WorkerHeartbeat"]
