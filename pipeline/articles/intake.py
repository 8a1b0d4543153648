"""From seen to eligible: read the page, fill the article in, pass the gates, tell the rooms downstream."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from pipeline.articles import identify
from pipeline.articles.addresses import comparable
from pipeline.articles.models import Alias, Article, Hold, Section, Version
from pipeline.articles.read import Reading, read
from pipeline.articles.screen import Decision, Facts, State, screen
from pipeline.kernel.http import Answer, Client, FetchError
from pipeline.kernel.outbound import client as our_client
from pipeline.kernel.queue import Job, ring, wake

log = logging.getLogger("dateline.articles")

PAGE_BYTES = 5_000_000
MOST_TRIES = 3
RING_AFTER = timedelta(seconds=5)
