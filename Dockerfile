# syntax=docker/dockerfile:1
# One image for all processes, for amd64 and arm64. docker-compose.yml and deploy/kubernetes set the command of each.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
# Wheels only: no compiler is needed, and every dependency publishes wheels for both architectures.
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --only-binary=:all: -r requirements.txt
WORKDIR /app
COPY . .
# User 10001 must be able to read the code, whatever the umask of the checkout.
RUN /venv/bin/python -m compileall -q . \
    && chmod -R a+rX .

FROM python:${PYTHON}-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="DinMo" \
      org.opencontainers.image.description="Open, self-hosted reverse ETL" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    VAR_DIR=/var/lib/dinmo \
    SOURCE_FILES_ROOT=/data

# A new volume inherits owner and mode from the directory on which it is mounted.
RUN groupadd --system --gid 10001 dinmo \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/dinmo --shell /usr/sbin/nologin dinmo \
    && install --directory --mode=0700 --owner=dinmo --group=dinmo /var/lib/dinmo /var/lib/dinmo/keys \
    && install --directory --owner=dinmo --group=dinmo /data

COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app

# Numeric, so that Kubernetes can verify that it is not root.
USER 10001:10001
EXPOSE 8000
# The application serves static files directly from its packages, so collectstatic is not needed.
CMD ["gunicorn", "dinmo.wsgi", "--config", "python:dinmo.local.web_server", "--bind", "0.0.0.0:8000", \
     "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
# For the web server. Containers with a different command need a health check of their own.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=5); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
