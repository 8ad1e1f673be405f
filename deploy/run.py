"""``make run``: prepare the embedded installation, print how to sign in, then serve until Ctrl-C.

``dermascan.supervisor`` runs the processes of ``deploy/Procfile`` and restarts one that dies or hangs.
"""

import hashlib
import logging
import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    os.chdir(ROOT)
    # Only the owner may read photographs, reports and the database.
    os.umask(0o077)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dermascan.settings.local")
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"DermaScan did not start: {error}")
    host, port = address()
    refuse_taken_port(host, port)
    announce(host, port, has_demo=prepare_or_exit())
    # The workers' e-mails link to the address that is served here.
    os.environ.update(HOST=host, PORT=str(port), DERMASCAN_SITE_URL=settings.SITE_URL)
    if "--reload" in sys.argv[1:]:
        os.execv(sys.executable, [sys.executable, "manage.py", "runserver", f"{shown_host(host)}:{port}"])  # noqa: S606
    os.execv(sys.executable, [sys.executable, "-m", "dermascan.supervisor", "deploy/Procfile"])  # noqa: S606


def address() -> tuple[str, int]:
    """Return HOST and PORT from the environment."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        sys.exit(f"PORT={port} is not a port: choose a number from 1 to 65535, as in “PORT=8001 make run”.")
    return host, int(port)


def shown_host(host: str) -> str:
    """Return the host as written before a port: an IPv6 address in brackets."""
    return f"[{host.strip('[]')}]" if ":" in host else host


def refuse_taken_port(host: str, port: int) -> None:
    """Exit with advice if the server cannot listen on ``port``."""
    try:
        listen_once(host, port)
    except PermissionError:
        sys.exit(f"Port {port} needs administrator rights. Choose a port above 1023: PORT=8001 make run")
    except socket.gaierror:
        sys.exit(f"HOST={host} is not an address of this machine.")
    except OSError as error:
        free = next_free_port(host, port)
        sys.exit(
            f"Port {port} on {host} is taken ({error.strerror}), perhaps by another DermaScan.\n"
            f"Stop that program, or choose another port: PORT={free} make run"
        )


def listen_once(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host.strip("[]"), port))
        probe.listen(1)


def next_free_port(host: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 50, 65536)):
        try:
            listen_once(host, candidate)
        except OSError:
            continue
        return candidate
    return 8001


def prepare_or_exit() -> bool:
    from django.core.management import CommandError

    from mlmodel.releases.release_files import ReleaseError

    logging.disable(logging.INFO)
    try:
        return prepare()
    except (CommandError, ReleaseError) as error:
        sys.exit(f"DermaScan did not start: {error}")


def prepare() -> bool:
    """Create folders, static files, tables and, if allowed, the demo clinic; return whether the demo clinic exists."""
    from django.conf import settings
    from django.core.management import CommandError, call_command

    from dermascan.apps import make_queue_folders
    from dermascan.older_tables import move_older_data_aside

    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT):
        Path(folder).mkdir(parents=True, exist_ok=True)
    if archive := move_older_data_aside():
        print(  # noqa: T201
            f"The data in {settings.DATA_DIR} are from before version 0.1.0, which used other tables. "
            f"They were moved to {archive}. This is now a new, empty installation.",
            flush=True,
        )
        make_queue_folders()
    print("Preparing the database …", flush=True)  # noqa: T201
    collect_static_files()
    call_command("migrate", interactive=False, verbosity=0)
    # Queues photographs from before the review queue existed; a single query if there are none.
    call_command("refresh_queue", missing=True, verbosity=0)
    if not settings.DEMO_ALLOWED:
        return False
    print("Preparing the demo clinic; the first time takes a minute, on a busy machine several …", flush=True)  # noqa: T201
    try:
        call_command("create_demo_clinic", verbosity=0)
    except CommandError as error:
        # Start anyway: only the demo clinic is missing.
        print(f"The demo clinic is not available. {error}", flush=True)  # noqa: T201
        return False
    return True


def collect_static_files() -> None:
    """Collect and compress the static files if any has changed since the last time."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    fingerprint = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            fingerprint.update(f"{name}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    if stamp.exists() and stamp.read_text() == fingerprint.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint.hexdigest())


def announce(host: str, port: int, *, has_demo: bool) -> None:
    from django.conf import settings

    display_host = "127.0.0.1" if host in {"0.0.0.0", "::", "[::]"} else host  # noqa: S104
    lines = [f"DermaScan is starting on http://{display_host}:{port} – press Ctrl-C to stop it.", ""]
    if has_demo:
        from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES

        lines += [
            f"  Sign in as   {', '.join(USER_NAMES[:-1])} or {USER_NAMES[-1]}",
            f"  Password     {DEMO_PASSWORD}",
            "",
            "  The demo clinic's people are fictional and its password is public: enter no real patients here.",
        ]
    lines += [f"  All data are stored in {settings.DATA_DIR}.", ""]
    print("\n" + "\n".join(lines), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
