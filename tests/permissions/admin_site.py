"""Expected responses of the admin: its own pages by URL name, its tables by each role's permissions."""

from dataclasses import dataclass

from tests.permissions.answers import ADMIN_INDEX, ADMIN_SIGN_IN, SIGN_IN, Answer, Answers, Case, everyone

INSIDE = ("dermatologist", "manager", "stranger", "superuser")


def in_the_admin(answer: Answer, **others: Answer) -> Answers:
    """Return ``answer`` for roles with access to the admin; others are redirected to its sign-in page."""
    return everyone(ADMIN_SIGN_IN, **{**dict.fromkeys(INSIDE, answer), **others})


def readers(answer: Answer, **others: Answer) -> Answers:
    """Return ``answer`` for dermatologists of any clinic and 403 for other roles in the admin."""
    return in_the_admin(403, **{"dermatologist": answer, "stranger": answer, **others})


def retrainers(answer: Answer) -> Answers:
    """Return ``answer`` for operators and for dermatologists of any clinic, since all clinics share one network."""
    return in_the_admin(answer, manager=403)


LESION_AT_VISIT = {"visit_id": "open_visit", "lesion_id": "lesion"}
SIGN_IN_PAGE = everyone(ADMIN_INDEX, anonymous=SIGN_IN, staff=403, patient=403, other_patient=403)

ADMIN_PAGES: dict[str, list[Case]] = {
    "admin:index": [Case(get=in_the_admin(200), post=in_the_admin(200))],
    "admin:login": [Case(get=SIGN_IN_PAGE, post=SIGN_IN_PAGE)],
    "admin:logout": [
        Case(
            get=everyone(ADMIN_INDEX, **dict.fromkeys(INSIDE, 405)),
            post=everyone(ADMIN_INDEX, **dict.fromkeys(INSIDE, 302)),
        )
    ],
    "admin:password_change": [Case(get=in_the_admin(200), post=in_the_admin(200))],
    "admin:password_change_done": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    "admin:autocomplete": [Case(get=in_the_admin(403), post=in_the_admin(405))],
    "admin:jsi18n": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    "admin:app_list": [Case(words={"app_label": "patients"}, get=in_the_admin(200), post=in_the_admin(200))],
    # The review screen: only dermatologists review, and only their own clinic's photographs
    "admin:review": [Case(get=readers(200), post=readers(405))],
    "admin:review-photograph": [
        Case(ids={"image_id": "open_image"}, get=readers(200, stranger=404), post=readers(422, stranger=404)),
        Case(ids={"image_id": "refused_image"}, get=readers(200, stranger=404), post=readers(422, stranger=404)),
    ],
    "admin:review-others": [Case(ids={"image_id": "open_image"}, get=readers(200, stranger=404), post=readers(405))],
    "admin:review-skip": [Case(ids={"image_id": "open_image"}, get=readers(405), post=readers(302, stranger=404))],
    **{
        f"admin:review-{name}": [Case(get=readers(405), post=readers(302))]
        for name in ("mode", "unit", "undo", "skipped")
    },
    "admin:review-lesions": [Case(get=readers(200), post=readers(405))],
    "admin:review-lesion": [
        Case(ids=LESION_AT_VISIT, get=readers(200, stranger=404), post=readers(422, stranger=404))
    ],
    "admin:review-lesion-skip": [Case(ids=LESION_AT_VISIT, get=readers(405), post=readers(302, stranger=404))],
    "admin:review-agreement": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    # Retraining: dermatologists and operators may start a run; managers may only view
    "admin:retraining": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    "admin:retraining-run": [Case(ids={"run_id": "training_run"}, get=in_the_admin(200), post=in_the_admin(405))],
    "admin:retraining-start": [Case(get=retrainers(405), post=retrainers(302))],
    **{
        f"admin:retraining-{name}": [Case(ids={"run_id": "training_run"}, get=retrainers(405), post=retrainers(302))]
        for name in ("resume", "abandon")
    },
    "admin:auth_user_password_change": [
        Case(ids={"id": "user"}, get=in_the_admin(403, superuser=200), post=in_the_admin(403, superuser=200))
    ],
}

# Who may see, add, change and delete the rows of a table. Superusers have every permission that any role has.
CLINICIANS = ("dermatologist", "manager", "superuser", "stranger")
MANAGERS = ("manager", "superuser")
OPERATORS = ("superuser",)
NOBODY: tuple[str, ...] = ()


@dataclass
class Table:
    see: tuple[str, ...]
    add: tuple[str, ...] = NOBODY
    change: tuple[str, ...] = NOBODY
    delete: tuple[str, ...] = NOBODY
    is_scoped: bool = True


DJANGOS_OWN = Table(see=OPERATORS, add=OPERATORS, change=OPERATORS, delete=OPERATORS, is_scoped=False)

ADMIN: dict[str, Table] = {
    "patients.clinic": Table(see=MANAGERS, add=OPERATORS, change=MANAGERS),
    "patients.member": Table(see=MANAGERS, add=MANAGERS, change=MANAGERS),
    "patients.user": Table(see=OPERATORS, add=OPERATORS, change=OPERATORS, is_scoped=False),
    "patients.outgoingmessage": Table(see=OPERATORS, is_scoped=False),
    "patients.patient": Table(see=CLINICIANS),
    "patients.visit": Table(see=CLINICIANS),
    "patients.lesion": Table(see=CLINICIANS),
    "patients.consent": Table(see=CLINICIANS),
    "diagnosis.image": Table(see=CLINICIANS, change=("dermatologist", "superuser", "stranger")),
    "diagnosis.imagefeatures": Table(see=CLINICIANS),
    "diagnosis.imageembedding": Table(see=CLINICIANS),
    "diagnosis.prediction": Table(see=CLINICIANS),
    "diagnosis.queueentry": Table(see=CLINICIANS),
    "diagnosis.report": Table(see=CLINICIANS),
    "diagnosis.addendum": Table(see=CLINICIANS),
    "mlmodel.modelversion": Table(see=CLINICIANS, is_scoped=False),
    "dermascan.contactmessage": Table(see=OPERATORS, change=OPERATORS, delete=OPERATORS, is_scoped=False),
    "dermascan.workerheartbeat": Table(see=OPERATORS, is_scoped=False),
    "auth.group": DJANGOS_OWN,
    "account.emailaddress": DJANGOS_OWN,
    "mfa.authenticator": Table(see=OPERATORS, delete=OPERATORS, is_scoped=False),
    "patients.apitoken": Table(see=MANAGERS),
}


def table_case(label: str, action: str) -> Case:
    """Return the expected responses of one address of an admin table, from the table's rule."""
    table = ADMIN[label]
    ids = {} if action in ("changelist", "add") else {"object_id": label}
    if action == "changelist":
        answers = only(table.see, 200)
        return Case(get=answers, post=answers)
    if action == "add":
        answers = only(table.add, 200)
        return Case(get=answers, post=answers)
    if action == "change":
        get = only((*table.see, *table.change), 200, stranger=ADMIN_INDEX if table.is_scoped else 200)
        post = only(table.change, CHANGED.get(label, 200), stranger=ADMIN_INDEX if table.is_scoped else 200)
        return Case(ids=ids, get=get, post=post)
    if action == "history":
        answers = only(table.see, 200)
        if table.is_scoped:
            answers["stranger"] = ADMIN_INDEX
        return Case(ids=ids, get=answers, post=answers)
    if action == "delete":
        answers = only(table.delete, 200)
        return Case(ids=ids, get=answers, post=answers)
    assert action == "", f"table_case does not know the admin action “{action}”"
    return Case(ids=ids, get=in_the_admin(302), post=in_the_admin(302))


# An empty form is refused with 200 unless it has no required field (a single checkbox here). Without its edit token
# it counts as stale (409) if it differs from what is stored.
CHANGED: dict[str, Answer] = {
    "dermascan.contactmessage": 302,
    "patients.clinic": 409,
    "patients.member": 409,
    "patients.user": 409,
    "auth.group": 409,
    "account.emailaddress": 409,
}


def only(roles: tuple[str, ...], answer: Answer, **others: Answer) -> Answers:
    """Return ``answer``, or the entry in ``others``, for ``roles`` and 403 for other roles in the admin."""
    return in_the_admin(403, **{role: others.get(role, answer) for role in roles})
