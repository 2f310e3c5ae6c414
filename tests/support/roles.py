"""What each function may do in the bucket, in the template and in the simulation."""

from __future__ import annotations

# Who may write where (P8). The RAM policies must say exactly this.
WRITES = {
    "validate": {
        "approve/",
        *("jobs/", "work/", "ready/", "rejected/", "running/", "finished/", "open/", "outbox/"),
        *("quotes/", "money/"),
    },
    "submit": {"jobs/", "ready/", "running/", "batches/", "slots/", "waiting/", "money/"},
    "callback": {"finished/"},
    "message": {"finished/"},
    "collect": {
        *("jobs/", "work/", "ready/", "running/", "results/", "rejected/", "slots/", "outbox/"),
        *("money/", "reuse/"),
    },
    "reconcile": {
        "approve/",
        *("ready/", "running/", "finished/", "again/", "timer/", "open/", "slots/", "outbox/"),
        "board.json",
    },
    "notify": {"jobs/"},
    "page": {
        "approve/",
        "outbox/",
        "quotes/",
        "inbox/",
        "jobs/",
        "work/",
        "open/",
        "ready/",
        "running/",
        "finished/",
    },
}
READS = {
    "validate": {
        "approve/",
        "inbox/",
        "jobs/",
        "work/",
        "results/",
        "rejected/",
        "running/",
        "again/",
        "ready/",
        "finished/",
        "reuse/",
        "money/",
        "prices.yaml",
        "budget.yaml",
    },
    "submit": {"jobs/", "work/", "ready/", "running/", "slots/", "waiting/", "money/", "budget.yaml"},
    "callback": {"batches/", "ready/", "running/"},
    "message": {"batches/", "ready/", "running/"},
    "collect": {
        *("jobs/", "work/", "ready/", "running/", "finished/", "results/", "slots/", "waiting/"),
        "money/",
    },
    # Of the board only yesterday's counts of repairs, which it shows again.
    "reconcile": {
        "approve/",
        "money/",
        "work/",
        "inbox/",
        "jobs/",
        "ready/",
        "running/",
        "finished/",
        "again/",
        "timer/",
        "open/",
        "slots/",
        "waiting/",
        "board.json",
        "outbox/",
        "budget.yaml",
    },
    # Of reports only whether they are there.
    "notify": {"approve/", "outbox/", "jobs/", "rejected/", "ready/", "running/"},
    "page": {
        "approve/",
        *("inbox/", "results/", "rejected/", "jobs/", "work/", "links/"),
        *("ready/", "running/", "finished/", "board.json"),
    },
}
# What may be missing where it is looked for, and what is listed.
LISTS = READS
# Who sees which folders there are, and nothing of what lies in them.
LOOKS = {"reconcile"}
# Where files are written in parts.
ABORTS = {
    "validate": {"work/"},
    "submit": set[str](),
    "callback": set[str](),
    "message": set[str](),
    "collect": {"work/", "results/", "reuse/"},
    "reconcile": set[str](),
    "notify": set[str](),
    "page": {"work/"},
}
DELETES = {
    "validate": {"approve/", "open/", "jobs/", "work/", "rejected/", "again/", "money/"},
    "submit": {"ready/", "slots/", "waiting/", "money/"},
    "callback": set[str](),
    "message": set[str](),
    "collect": {"running/", "finished/", "open/", "waiting/", "money/", "reuse/"},
    "reconcile": {"approve/", "open/", "waiting/", "again/"},
    "notify": {"outbox/"},
    "page": {"approve/", "work/", "open/"},
}
