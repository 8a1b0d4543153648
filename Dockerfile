FROM python:3.12-slim-bookworm
ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN useradd --create-home --uid 10001 dateline && install -d -o dateline /var/lib/dateline
WORKDIR /srv/dateline
COPY requirements.lock pyproject.toml README.md ./
RUN pip install --require-hashes -r requirements.lock
COPY pipeline pipeline
COPY workers workers
COPY templates templates
RUN pip install --no-deps --no-build-isolation -e .
USER dateline
EXPOSE 8000 8001
CMD ["dateline", "up"]
