"""The ticks. The database says what is due; a second beat, or none for a while, changes nothing but time.

Every tick expires after a few of its periods, so that an outage is not followed by a flood.
"""

from __future__ import annotations

from typing import Any

from pipeline.kernel.queue import Job


def _every(job: Job, seconds: float) -> dict[str, Any]:
    return {"task": job.value, "schedule": seconds, "options": {"expires": max(5, 3 * seconds)}}


SCHEDULE = {
    job.value: _every(job, seconds)
    for job, seconds in (
        (Job.SOURCES_TICK, 1.0),
        (Job.SCHEDULE_TICK, 1.0),
        (Job.ENGAGEMENT_DRAIN, 1.0),
        (Job.ENGAGEMENT_REPORT, 5.0),
        (Job.RANKING_REFRESH, 2.0),
        (Job.UPKEEP_SWEEP, 3.0),
        (Job.HOOKS_DELIVER, 5.0),
        (Job.AUDIENCE_IMPORT, 15.0),
        (Job.DELIVERY_FEEDBACK, 60.0),
        (Job.DELIVERY_ASK_AGAIN, 3600.0),
        (Job.AUDIENCE_FORGET, 3600.0),
        (Job.UPKEEP_RETAIN, 3600.0),
        (Job.UPKEEP_LEARN, 3600.0),
    )
}
