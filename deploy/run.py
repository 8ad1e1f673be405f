"""``make run``: prepare the embedded installation, say how to sign in, then serve until Ctrl-C.

What is served are the processes of ``deploy/Procfile``, under ``dermascan.supervisor``: Ctrl-C stops them, and one
that dies or hangs is started again.
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
    # Photographs, reports and the database are for the owner's eyes alone.
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
    announce(host, port, has_demo=prepare_or_say_why_not())
    # A worker's mails name the address that is served here.
    os.environ.update(HOST=host, PORT=str(port), DERMASCAN_SITE_URL=settings.SITE_URL)
    os.execv(sys.executable, [sys.executable, "-m", "dermascan.supervisor", "deploy/Procfile"])  # noqa: S606


def address() -> tuple[str, int]:
    """Read HOST and PORT."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        sys.exit(f"PORT={port} is not a port: choose a number from 1 to 65535, as in “PORT=8001 make run”.")
    return host, int(port)


def refuse_taken_port(host: str, port: int) -> None:
    """Stop with a message that says what to do if nothing can listen on ``port``."""
    try:
        listen_once(host, port)
    except PermissionError:
        sys.exit(f"Port {port} is for the administrator only. Choose one above 1023: PORT=8001 make run")
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


def prepare_or_say_why_not() -> bool:
    from django.core.management import CommandError

    from mlmodel.releases.release_files import ReleaseError

    logging.disable(logging.INFO)
    try:
        return prepare()
    except (CommandError, ReleaseError) as error:
        sys.exit(f"DermaScan did not start: {error}")


def prepare() -> bool:
    """Make folders, static files, tables and, where allowed, the demo clinic; return whether that is there.

    Quick when there is nothing to do.
    """
    from django.conf import settings
    from django.core.management import CommandError, call_command

    from dermascan.apps import make_queue_folders
    from dermascan.older_tables import move_older_data_aside

    for folder in (settings.DATA_DIR, settings.MEDIA_ROOT):
        Path(folder).mkdir(parents=True, exist_ok=True)
    if aside := move_older_data_aside():
        print(  # noqa: T201
            f"The data in {settings.DATA_DIR} were made before version 0.1.0, whose tables are others. "
            f"They were moved to {aside}; a new, empty installation begins here.",
            flush=True,
        )
        make_queue_folders()
    collect_static_files()
    call_command("migrate", interactive=False, verbosity=0)
    # Photographs of before there was a queue; asks one question where there are none.
    call_command("refresh_queue", missing=True, verbosity=0)
    if not settings.DEMO_ALLOWED:
        return False
    print("Looking after the demo clinic; making it, the first time, takes half a minute …", flush=True)  # noqa: T201
    try:
        call_command("create_demo_clinic", verbosity=0)
    except CommandError as error:
        # Whoever works here has to go on; only those who came for the demo miss it.
        print(f"There is no demo clinic here. {error}", flush=True)  # noqa: T201
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

    shown = "127.0.0.1" if host in {"0.0.0.0", "::", "[::]"} else host  # noqa: S104
    lines = [f"DermaScan is starting on http://{shown}:{port} – Ctrl-C stops it.", ""]
    if has_demo:
        from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES

        lines += [
            f"  Sign in as   {', '.join(USER_NAMES[:-1])} or {USER_NAMES[-1]}",
            f"  Password     {DEMO_PASSWORD}",
            "",
            "  The demo clinic's people are invented and its password is published: keep no real patient here.",
        ]
    lines += [f"  Everything is kept in {settings.DATA_DIR}.", ""]
    print("\n" + "\n".join(lines), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
