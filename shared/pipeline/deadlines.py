"""How long things are kept, tried and waited for.

``tests/unit/pipeline/test_deadlines.py`` says what must be longer than what, and why. Two kinds
stand elsewhere: how long a connection may be silent, beside each client, and what a provider sets,
in its profile.

Some are defaults of settings. What is deployed is set by ``template.yaml``: change both.
"""

from __future__ import annotations

from datetime import timedelta

# What the rest relies on. No page says how soon a new batch is listed or how far two clocks differ.
LISTED_WITHIN = timedelta(seconds=250)
CLOCK_ERROR = timedelta(seconds=30)
# https://www.alibabacloud.com/help/en/fc/product-overview/limits
LONGEST_INVOCATION = timedelta(hours=24)

# Defaults of settings; their meaning is in ``Settings``.
CLAIM_LEASE = timedelta(seconds=900)
READY_OVERDUE = timedelta(seconds=300)
POLL_AFTER = timedelta(seconds=300)
FINISHED_OVERDUE = timedelta(seconds=1200)
RESULTS_LATE = timedelta(hours=1)
# No page says whether the time of an object that was uploaded in parts is that of its start or of
# its end. If it is the start's, a file whose upload takes longer than this appears behind the
# timer's mark: then only its event starts it.
INBOX_SWEEP_AFTER = timedelta(seconds=900)
# A run of validate that reads a large file shows so often that it lives. Several signs may be lost.
SIGN_OF_LIFE = timedelta(minutes=3)
FILES_SWEEP = timedelta(hours=6)

# A run of the timer repairs, then shows the board, for these parts of its time-out. So it is done
# before the next tick, which may come in a minute.
SHORTEST_TICK = timedelta(minutes=1)
SHARE_TO_REPAIR = 1 / 6
SHARE_TO_SHOW = 1 / 30
# What is left then is for a file's drafts to be removed, and its report to be written.
SHARE_TO_VALIDATE = 19 / 20
# No piece of a result is begun later: it takes seconds of Parquet, minutes of a workbook. What is
# done is kept only then, so whatever is begun before half of the time must be through by its end.
SHARE_TO_CLOSE = 1 / 2
UNKNOWN_TIMEOUT = timedelta(minutes=1)
# What takes longer there has to do with somebody who is slow, or who does not answer at all.
LONGEST_TURN = timedelta(seconds=5)

# So long after a run has claimed rows of a sample, others wait for what it is answered. The
# service answers within 50 seconds; an answer that comes later is lost, and never asked for again.
SAMPLE_LEASE = timedelta(minutes=5)

# What is refused or has not ended is asked for again later each time: the wait doubles so often.
FIRST_BACKOFF = timedelta(minutes=5)
BACKOFF_DOUBLINGS = 4
POLL_DOUBLINGS = 3
# What waits for the next month, since this one's money is spent. The timer sees a new file of
# budgets sooner, but not one that was put while the shard was being put off.
BUDGET_LOOK = timedelta(hours=6)

# A batch so long over its completion window is asked for, cancelled and settled with what it has.
DEADLINE_GRACE = timedelta(hours=24)
# If the provider names no end so long after the cancelling, the rows are closed without it.
GIVE_UP = timedelta(hours=24)

# Nothing is sent later than this after the plan was made: the longest window of any provider, the
# day of grace, the day until it is given up, and ``MENDED_WITHIN`` must pass before the working
# data goes. All attempts of the most patient recipe end in time for it.
SEND_WITHIN = timedelta(days=180)
# Time enough for a person to mend what keeps a job from being collected.
MENDED_WITHIN = timedelta(days=14)
# A job's working data (``work/``) is removed when it is so old; WorkDays of template.yaml can only
# be more.
WORK_KEPT = timedelta(days=224)

# An open job is looked through so often: a ticket that is on its way has come by then, and a
# hundred shards of a hundred jobs do not fill the timer's time.
LOOK_AFTER = timedelta(hours=1)
# One with a sample is looked at once before: by then nobody asks it any more, or the run has died.
SAMPLE_LOOK_AFTER = timedelta(minutes=10)
# The run that was to plan the job has long died; what it left is no job.
NEVER_PLANNED = timedelta(days=2)
# While nothing is open, the timer looks through everything so often, and else only for tickets.
LULL = timedelta(minutes=5)
# How far back the timer's first look for dropped files goes. Older ones are from before there was a
# pipeline. From then on it looks back to its mark, however old that is.
INBOX_WINDOW = timedelta(hours=48)
# So far the mark must have moved to be worth writing.
INBOX_MARKED_AFTER = timedelta(minutes=10)
# The run that uploaded an older file to the provider has created its batch, or never will.
ABANDONED_AFTER = timedelta(days=2)

# A word that no channel has taken for so long is given up; the log and the board say so.
WORD_GIVEN_UP = timedelta(hours=24)

# A word that waits for no answer costs ten seconds, in which an instance tells nothing else: other
# words for the channel are turned away meanwhile.
CHANNEL_RESTS = timedelta(minutes=1)

# Within it, a try of a word may still end well, so nobody is told of it.
WORD_AT_IT = timedelta(minutes=2)

# A form that the page signs is good for a moment and for as long as its file takes on a slow line:
# OSS must have received the whole of it in time
# (https://help.aliyun.com/en/oss/user-guide/0006-00000213). A download is for a click. The
# function's own credentials may end earlier.
FORM_OPENED_WITHIN = timedelta(minutes=5)
SLOW_LINE_BYTES_PER_S = 64_000
FORM_LIFETIME = timedelta(hours=1)
DOWNLOAD_LIFETIME = timedelta(minutes=10)
# For so long the page shows an approval for which there is no file.
LOST_APPROVAL_SHOWN = timedelta(days=1)
# In so long a link may try a recipe only so often.
PREVIEWS_WITHIN = timedelta(minutes=1)

# How old a signed event may be, and how long the board shows what the timer had to repair.
EVENT_VALID = timedelta(seconds=60)
REPAIRS_SHOWN = timedelta(hours=24)
